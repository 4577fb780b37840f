import assert from "node:assert/strict";
import type { QueuedJob } from "../../../../src/domain/queued-job.js";
import type { User } from "../../../../src/services/users/users.js";
import type { TestServices } from "../../../support/service/test-services.js";

/** Makes a QueuedJob of the user in each status. */
export function createEachStatus(
  services: TestServices,
  user: User,
): Record<QueuedJob["status"], () => Promise<QueuedJob>> {
  return {
    PENDING: () => services.submit(user),
    STARTED: async () => (await services.start(await services.submit(user))).queuedJob,
    SUCCESS: () => services.finished(user),
    async FAILED() {
      const claimed = await services.start(await services.submit(user));
      await services.queuedJobs.progress(claimed, 0.5, "half");
      await services.queuedJobs.fail(claimed, {
        code: "TASK_FAILED",
        message: "No.",
        permanent: true,
      });
      return (await services.queuedJobs.find(user, claimed.id)) ?? assert.fail();
    },
    async CANCELLED() {
      return services.queuedJobs.cancel(user, (await services.submit(user)).id);
    },
  };
}
