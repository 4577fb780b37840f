import { router } from "../../address/router.js";
import { messageOf } from "../../in-words.js";
import { ENQUEUE_ONE } from "../../operations.js";
import type { QueuedJob, QueuedJobDetails } from "../../types.js";
import { useWorkspace } from "../../workspace.js";

const PARAMETER = "skipUnreadable";

/** Submits a job that failed for one of its photos again, without it or with another. */
export function WithoutUnreadable({ details }: { details: QueuedJobDetails }) {
  const { ask, list, notices, photos: selection, submission } = useWorkspace();
  const { id, job, error, photos, parameters } = details;
  const schema = submission.jobs.find(({ name }) => name === job.name)?.parameterSchema;
  const isAboutPhoto = error?.code === "PHOTO_UNREADABLE" || error?.code === "PHOTO_TOO_LARGE";
  const isSkipping = (parameters as Record<string, unknown>)[PARAMETER] === true;
  // The photos of a step in a group are pictures of other jobs.
  if (!isAboutPhoto || !schema || photos.length === 0) return null;
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
  /** Leads to the form, with all but the damaged photos: the others are selected there. */
  function replace(): void {
    const kept = photos.filter(({ damaged }) => damaged === null && photos.length > 1);
    submission.fill(job.name, parameters);
    selection.clear();
    selection.choose(
      kept.map((photo) => photo.id),
      true,
    );
    router.go({ view: "photos", job: null, group: null, isComposing: true, newJob: job.name });
  }
  return (
    <p class="line">
      <button type="button" class="small" onClick={replace}>
        Replace photo…
      </button>
      {!isSkipping && schema.properties?.[PARAMETER] && (
        <button
          type="button"
          class="small"
          onClick={() => void submit().catch((reason: unknown) => notices.fault(messageOf(reason)))}
        >
          Run without unreadable photos
        </button>
      )}
    </p>
  );
}
