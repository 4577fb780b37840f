import { useRef, useState } from "react";
import type { PhotoServiceError } from "../errors.js";
import type { JobName, Jobs } from "../generated/jobs.js";
import type { Photo, QueuedJob } from "../types.js";
import { useJob } from "./hooks.js";
import { usePhotoService } from "./provider.js";
import { useUpload } from "./use-upload.js";

export interface UsePhotoJob<Name extends JobName> {
  /** Uploads the file and runs the Job on it; what an earlier call shows is replaced. */
  start(file: Blob | null | undefined): Promise<void>;
  /** Stops the upload, or cancels the QueuedJob. */
  cancel(): Promise<void>;
  /** 0 to 1; the upload is the first half. */
  progress: number;
  /** Null until the upload is complete. */
  photo: Photo | null;
  /** Null until it is submitted. */
  job: QueuedJob<Name> | null;
  /** Why a call failed, or why events cannot arrive at the moment. */
  error: PhotoServiceError | null;
}

interface Submission<Name extends JobName> {
  job: QueuedJob<Name> | null;
  error: PhotoServiceError | null;
}

/** A photo on its way from a file to the result of a Job. */
export function usePhotoJob<Name extends JobName>(
  name: Name,
  parameters: Jobs[Name]["parameters"],
): UsePhotoJob<Name> {
  const service = usePhotoService();
  const { upload, uploads } = useUpload();
  const [submission, setSubmission] = useState<Submission<Name>>({ job: null, error: null });
  const { job, error } = useJob(submission.job);
  /** The file that is shown; null after `cancel`. */
  const current = useRef<Blob | null>(null);
  const last = uploads.at(-1);

  return {
    async start(file) {
      if (!file) return;
      last?.cancel();
      current.current = file;
      setSubmission({ job: null, error: null });
      const photo = await upload(file);
      if (!photo) return;
      try {
        const submitted = await service.run(name, parameters, [photo]);
        if (current.current === file) setSubmission({ job: submitted, error: null });
        else if (!current.current) await service.cancel(submitted);
      } catch (reason) {
        if (current.current === file)
          setSubmission({ job: null, error: reason as PhotoServiceError });
      }
    },
    async cancel() {
      current.current = null;
      if (!job) return last?.cancel();
      await service
        .cancel(job)
        .catch((reason: PhotoServiceError) => setSubmission({ job, error: reason }));
    },
    progress: ((last?.progress ?? 0) + (job?.progress ?? 0)) / 2,
    photo: last?.photo ?? null,
    job,
    error: submission.error ?? last?.error ?? error,
  };
}
