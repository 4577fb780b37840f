import { createChannel } from "./channel.js";
import { connect, type PhotoServiceOptions } from "./connect.js";
import type { JobName } from "./generated/jobs.js";
import { createJobList, type JobList, type JobListOptions } from "./live/job-list.js";
import { DELETE_PHOTO } from "./operations.js";
import { keepParts } from "./parts.js";
import { createQueuedJobCalls, idOf, type QueuedJobCalls, type Reference } from "./queued-jobs.js";
import type { Follow } from "./transport/follow.js";
import { ONCE, type Query, type RequestOptions } from "./transport/requests.js";
import type { QueuedJob } from "./types.js";
import type { Upload } from "./upload.js";
import { createWatch, finished, type Watch, type WatchOptions } from "./watch.js";

/** A client of one user. Calls throw a PhotoServiceError, or the reason of an aborted signal. */
export interface PhotoService extends QueuedJobCalls {
  /** Uploads a photo. The same bytes again give the same Photo. */
  upload: Upload;
  /** The events of a QueuedJob until it finishes. */
  watch: Watch;
  /** Resolves with a QueuedJob that is SUCCESS, FAILED or CANCELLED. */
  finished<Name extends JobName>(
    queuedJob: QueuedJob<Name>,
    options?: WatchOptions,
  ): Promise<QueuedJob<Name>>;
  /** The user's QueuedJobs as a list that stays current. */
  jobs(options?: JobListOptions): JobList;
  /** ConflictError while an unfinished QueuedJob uses it. */
  deletePhoto(photo: Reference, options?: RequestOptions): Promise<void>;
  /** Any other query or mutation of the API. */
  query: Query;
  /** The events of the user with fields of your choice, for another kind of list. */
  follow: Follow;
  /** Ends all connections; calls that are running or come later throw ClosedError. */
  close(): void;
}

export function createPhotoService(options: PhotoServiceOptions): PhotoService {
  const { query, events, urls, upload, close } = connect(options);
  const parts = { query, events, urls, rows: createChannel<QueuedJob>() };
  const watch = createWatch(parts);

  const service: PhotoService = {
    ...createQueuedJobCalls(parts),
    upload,
    watch,
    finished: (queuedJob, watchOptions) => finished(watch, queuedJob, watchOptions),
    jobs: (listOptions) => createJobList(parts, listOptions),
    async deletePhoto(photo, requestOptions) {
      await query(DELETE_PHOTO, { id: idOf(photo) }, { ...ONCE, ...requestOptions });
    },
    query,
    follow: events.follow,
    close,
  };
  return keepParts(service, parts);
}
