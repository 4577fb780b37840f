import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import {
  PermanentTaskError,
  ServiceUnavailableError,
  TaskFailedError,
} from "../../../src/domain/errors.js";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import type { User } from "../../../src/services/users/users.js";
import { childTask, createWorkerScene, testTask, type WorkerScene } from "../worker-scene.js";
import type { TestCore } from "../../support/service/test-core.js";

const obedient = testTask("obedient", ({ signal }) => wait(60_000, undefined, { signal }));
const deaf = testTask("deaf", () => wait(60_000, undefined, { ref: false }), { timeoutMs: 50 });
const TASKS = [
  obedient,
  deaf,
  testTask("answers", ({ parameters, attempt }) => ({ ...parameters, attempt })),
  testTask("here", () => ({ pid: process.pid })),
  testTask("files here", ({ output }) =>
    output({ name: "a", mimeType: "text/plain", data: new Uint8Array() }),
  ),
  testTask("long", () => "x".repeat(256 * 1024)),
  testTask("bug", () => Promise.reject(new TypeError("secret of the house"))),
  testTask("fails", () => Promise.reject(new TaskFailedError("It did not work this time."))),
  testTask("refuses", () => Promise.reject(new PermanentTaskError("NO_INK", "There is no ink."))),
  testTask("storeless", () =>
    Promise.reject(new ServiceUnavailableError("The storage is unavailable.")),
  ),
  testTask("wrong", () => "text", { result: z.number() }),
  childTask("child"),
  childTask("brief child", { timeoutMs: 50 }),
];

export interface AttemptScene extends WorkerScene {
  user: User;
  submit(job: string, parameters?: Record<string, unknown>): Promise<QueuedJob>;
  /** The types of its events, in order. */
  storyOf(queuedJob: QueuedJob): Promise<string[]>;
  lastHint(queuedJob: QueuedJob): TestCore["hinted"][number] | undefined;
}

/** A worker with one task for each way an attempt may go, and a user who submits them. */
export async function createAttemptScene(): Promise<AttemptScene> {
  const scene = await createWorkerScene(TASKS);
  const user = await scene.core.newUser();
  return {
    ...scene,
    user,
    submit: (job, parameters = {}) => scene.core.submit(user, { job, parameters }),
    storyOf: async (queuedJob) => (await scene.history(queuedJob)).map(({ type }) => type),
    lastHint: ({ id }) => scene.core.hinted.findLast((hint) => hint.id === id),
  };
}
