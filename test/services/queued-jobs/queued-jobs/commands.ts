// The commands of the histories: possible actions of an owner, the workers and time.
import assert from "node:assert/strict";
import type { StoredOutput } from "../../../../src/domain/queued-job.js";
import { UNFINISHED_STATUSES } from "../../../../src/domain/queued-job-status.js";
import type { Claimed } from "../../../../src/services/queued-jobs/claim.js";
import type { User } from "../../../../src/services/users/users.js";
import type { TestServices } from "../../../support/service/test-services.js";

export const OUTPUT_BYTES = 7;

/** A user with a few QueuedJobs, and workers that keep their claims for too long. */
export interface Scene {
  user: User;
  photoId: string;
  claims: Claimed[];
  made: string[];
}

/** The QueuedJob and the claim to act on, if they exist. */
export interface CommandCall {
  services: TestServices;
  scene: Scene;
  id: string;
  claimed: Claimed | null;
}

export type Command =
  | "submit"
  | "repeat"
  | "claim"
  | "claimOld"
  | "succeed"
  | "reuse"
  | "fail"
  | "failForGood"
  | "handBack"
  | "progress"
  | "cancel"
  | "retry"
  | "remove"
  | "lapse"
  | "takeOver"
  | "passTime"
  | "bulk";
export const COMMANDS: readonly Command[] = [
  "submit",
  "repeat",
  "claim",
  "claim",
  "claim",
  "claimOld",
  "succeed",
  "reuse",
  "fail",
  "failForGood",
  "handBack",
  "progress",
  "cancel",
  "retry",
  "retry",
  "remove",
  "lapse",
  "lapse",
  "takeOver",
  "takeOver",
  "passTime",
  "passTime",
  "bulk",
];

const FAULT = { code: "TASK_FAILED", message: "No.", permanent: false };

/** Each command returns a truthy value when it did something. */
const CARRY_OUT: Record<Command, (call: CommandCall) => Promise<unknown> | null> = {
  submit: (call) => submit(call, albumOf(call.scene)),
  repeat: (call) => submit(call, { idempotencyKey: "key" }),
  async claim({ services, scene, id }) {
    const run = lastRun(services, id);
    const mine = await services.queuedJobs.start({ id, run, worker: "worker" });
    return mine && scene.claims.push(mine);
  },
  async claimOld({ services, id }) {
    // It may have no effect; only the call counts.
    const run = lastRun(services, id) - 1;
    if (run > 0) assert.equal(await services.queuedJobs.start({ id, run, worker: "late" }), null);
    return true;
  },
  succeed: ({ services, claimed }) =>
    claimed && services.queuedJobs.succeed(claimed, { of: claimed.id }, outputsOf(claimed)),
  async reuse({ services: { queuedJobs }, claimed }) {
    const earlier = claimed && (await queuedJobs.findEarlierResult(claimed));
    return earlier && queuedJobs.succeed(claimed, earlier.result, outputsOf(claimed), earlier.id);
  },
  fail: ({ services, claimed }) => claimed && services.queuedJobs.fail(claimed, FAULT),
  failForGood: ({ services, claimed }) =>
    claimed && services.queuedJobs.fail(claimed, { ...FAULT, permanent: true }),
  handBack: ({ services, claimed }) =>
    claimed && services.queuedJobs.handBack(claimed, 0).then(() => true),
  progress: ({ services, claimed }) =>
    claimed && services.queuedJobs.progress(claimed, 0.5, "half"),
  cancel: ({ services, scene, id }) => services.queuedJobs.cancel(scene.user, id),
  retry: ({ services, scene, id }) => services.queuedJobs.retry(scene.user, id),
  remove: ({ services, scene, id }) => services.queuedJobs.remove(scene.user, id).then(() => true),
  lapse: async ({ services, id }) =>
    (
      await services.database
        .sql`update queued_jobs set lease_until = clock_timestamp() - interval '1 s'
          where id = ${id} and status = 'STARTED'`
    ).count,
  takeOver: ({ services }) => services.queuedJobs.takeOverLapsed(100),
  passTime: async ({ services, id }) =>
    (
      await services.database
        .sql`update queued_jobs set due_at = now() where id = ${id} and status = 'PENDING'`
    ).count,
  async bulk({ services: { queuedJobs }, scene: { user } }) {
    const unfinished = { statuses: UNFINISHED_STATUSES, jobs: ["echo"] };
    return (
      (await queuedJobs.cancelMany(user.id, unfinished)) +
      (await queuedJobs.removeMany(user.id, { statuses: ["FAILED"], jobs: null }))
    );
  },
};

export async function carryOut(command: Command, call: CommandCall): Promise<unknown> {
  return CARRY_OUT[command](call);
}

export const albumOf = ({ photoId }: Scene) => ({ job: "album", photoIds: [photoId] });

async function submit(
  { services, scene }: CommandCall,
  submission: Parameters<TestServices["submit"]>[1],
): Promise<number> {
  return scene.made.push((await services.submit(scene.user, submission)).id);
}

function lastRun({ hinted }: TestServices, id: string): number {
  return hinted.findLast((hint) => hint.id === id)?.run ?? 1;
}

function outputsOf(claimed: Claimed): StoredOutput[] {
  const storageKey = `${claimed.id}/${claimed.attempt}`;
  const size = { byteSize: OUTPUT_BYTES, width: null, height: null };
  return [{ name: "a", mimeType: "text/plain", ...size, storageKey }];
}
