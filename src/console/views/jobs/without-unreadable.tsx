import { router } from "../../address/router.js";
import { messageOf } from "../../in-words.js";
import { ENQUEUE_ONE } from "../../operations.js";
import type { QueuedJob, QueuedJobDetails } from "../../types.js";
import { useWorkspace } from "../../workspace.js";

const PARAMETER = "skipUnreadable";

/** Submits a job that failed for one of its photos again, without the photos that it cannot read. */
export function WithoutUnreadable({ details }: { details: QueuedJobDetails }) {
  const { ask, list, notices, submission } = useWorkspace();
  const { id, job, error, photos, parameters } = details;
  const schema = submission.jobs.find(({ name }) => name === job.name)?.parameterSchema;
  const isAboutPhoto = error?.code === "PHOTO_UNREADABLE" || error?.code === "PHOTO_TOO_LARGE";
  const isSkipping = (parameters as Record<string, unknown>)[PARAMETER] === true;
  if (!isAboutPhoto || isSkipping || !schema?.properties?.[PARAMETER]) return null;
  async function submit(): Promise<void> {
    const input = {
      job: job.name,
      parameters: { ...parameters, [PARAMETER]: true },
      photoIds: photos.map((photo) => photo.id),
      // A second press submits nothing more.
      idempotencyKey: `without-unreadable-${id}`,
    };
    const { enqueueJob } = await ask<{ enqueueJob: QueuedJob }>(ENQUEUE_ONE, { input });
    list.take([enqueueJob]);
    router.go({ job: enqueueJob.id }, { replace: true });
  }
  return (
    <button
      type="button"
      class="small"
      onClick={() => void submit().catch((reason: unknown) => notices.fault(messageOf(reason)))}
    >
      Run without unreadable photos
    </button>
  );
}
