// The commands of the histories of groups: actions of an owner, the workers, time and death.
import type { StoredOutput } from "../../../../../src/domain/queued-job.js";
import { UNFINISHED_STATUSES } from "../../../../../src/domain/queued-job-status.js";
import type { Claimed } from "../../../../../src/services/queued-jobs/claim.js";
import { markGroup } from "../../../../../src/services/queued-jobs/groups/cancel-marked.js";
import type { User } from "../../../../../src/services/users/users.js";
import type { TestServices } from "../../../../support/service/test-services.js";

/** A user with groups, a few jobs outside of them, and workers. */
export interface Scene {
  user: User;
  groupIds: string[];
  /** Ids of all QueuedJobs. */
  rows: string[];
  claims: Claimed[];
}

interface Call {
  services: TestServices;
  scene: Scene;
  id: string;
  groupId: string;
  claimed: Claimed | null;
  /** Whether a hint says that the row has a group. */
  grouped: boolean;
}

const FAULT = { code: "TASK_FAILED", message: "No.", permanent: false };

/** Each command returns a truthy value when it did something. */
const CARRY_OUT = {
  claim,
  succeed: ({ services, claimed }) =>
    claimed && services.queuedJobs.succeed(claimed, { of: claimed.id }, outputsOf(claimed)),
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
  cancelGroup: ({ services, scene, groupId }) =>
    services.queuedJobs.cancelGroup(scene.user, groupId),
  retryGroup: ({ services, scene, groupId }) => services.queuedJobs.retryGroup(scene.user, groupId),
  removeGroup: ({ services, scene, groupId }) =>
    services.queuedJobs.removeGroup(scene.user, groupId).then(() => true),
  // A process that dies in cancelGroup leaves marks behind.
  markAndDie: ({ services, groupId }) => markGroup(services.database.sql, groupId),
  cancelMarked: ({ services }) => services.queuedJobs.cancelMarked(),
  // A process that dies with its attempts.
  async takeOver({ services, scene }) {
    await services.database.sql`
      update queued_jobs set lease_until = clock_timestamp() - interval '1 s'
      where user_id = ${scene.user.id} and status = 'STARTED'`;
    return services.queuedJobs.takeOverLapsed(100);
  },
  async passTime({ services, id }) {
    const { count } = await services.database.sql`
      update queued_jobs set due_at = now()
      where id = ${id} and status = 'PENDING' and waiting_for = 0 and cancelling is null`;
    return count;
  },
  bulkCancel: ({ services, scene }) =>
    services.queuedJobs.cancelMany(scene.user.id, { statuses: UNFINISHED_STATUSES, jobs: null }),
  bulkRetry: ({ services, scene }) =>
    services.queuedJobs.retryMany(scene.user.id, { statuses: ["FAILED"], jobs: null }),
  bulkRemove: ({ services, scene }) =>
    services.queuedJobs.removeMany(scene.user.id, { statuses: ["CANCELLED"], jobs: null }),
} satisfies Record<string, (call: Call) => Promise<unknown> | null>;

export type Command = keyof typeof CARRY_OUT;

/** Likelier commands occur several times. */
export const COMMANDS: readonly Command[] = [
  ...Array.from({ length: 8 }, () => "claim" as const),
  ...Array.from({ length: 8 }, () => "succeed" as const),
  ...Array.from({ length: 3 }, () => "failForGood" as const),
  ...Array.from({ length: 2 }, () => "retry" as const),
  ...Array.from({ length: 2 }, () => "retryGroup" as const),
  ...(Object.keys(CARRY_OUT) as Command[]),
];

export async function carryOut(command: Command, call: Call): Promise<unknown> {
  return CARRY_OUT[command](call);
}

async function claim({ services, scene, id, grouped }: Call): Promise<unknown> {
  const run = services.hinted.findLast((hint) => hint.id === id)?.run;
  if (run === undefined) return null;
  const claimed = await services.queuedJobs.start({ id, run, worker: "worker", grouped });
  return claimed && scene.claims.push(claimed);
}

function outputsOf({ id, attempt }: Claimed): StoredOutput[] {
  const size = { byteSize: 7, width: 4, height: 3 };
  return [{ name: "a", mimeType: "image/jpeg", ...size, storageKey: `${id}/${attempt}` }];
}

/** Runs everything that can run, as workers and the reconciler do, until nothing is left. */
export async function drain({ services, scene }: Pick<Call, "services" | "scene">): Promise<void> {
  const { sql } = services.database;
  await sql`update queued_jobs set lease_until = clock_timestamp() - interval '1 s'
    where user_id = ${scene.user.id} and status = 'STARTED'`;
  for (;;) {
    await services.queuedJobs.takeOverLapsed(100);
    await services.queuedJobs.cancelMarked();
    await sql`update queued_jobs set due_at = now() where user_id = ${scene.user.id}
      and status = 'PENDING' and waiting_for = 0 and cancelling is null and due_at > now()`;
    const due = await sql<{ id: string; run: number }[]>`
      select id, run from queued_jobs
      where user_id = ${scene.user.id} and status = 'PENDING' and due_at <= now()`;
    if (due.length === 0) return;
    await Promise.all(
      due.map(async ({ id, run }) => {
        const claimed = await services.queuedJobs.start({ id, run, worker: "worker" });
        if (claimed) await services.queuedJobs.succeed(claimed, null, outputsOf(claimed));
      }),
    );
  }
}
