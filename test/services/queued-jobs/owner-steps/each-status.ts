import assert from "node:assert/strict";
import type { QueuedJob } from "../../../../src/domain/queued-job.js";
import type { User } from "../../../../src/services/users/users.js";
import type { TestWaist } from "../../../support/service/test-waist.js";

/** Makes a QueuedJob of the user in each status. */
export function createEachStatus(
  waist: TestWaist,
  user: User,
): Record<QueuedJob["status"], () => Promise<QueuedJob>> {
  return {
    PENDING: () => waist.submit(user),
    STARTED: async () => (await waist.start(await waist.submit(user))).queuedJob,
    SUCCESS: () => waist.finished(user),
    async FAILED() {
      const claimed = await waist.start(await waist.submit(user));
      await waist.queuedJobs.progress(claimed, 0.5, "half");
      await waist.queuedJobs.fail(claimed, {
        code: "TASK_FAILED",
        message: "No.",
        permanent: true,
      });
      return (await waist.queuedJobs.find(user, claimed.id)) ?? assert.fail();
    },
    async CANCELLED() {
      return waist.queuedJobs.cancel(user, (await waist.submit(user)).id);
    },
  };
}
