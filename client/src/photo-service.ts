import { createChannel } from "./channel.js";
import { ClosedError } from "./errors.js";
import type { JobName } from "./generated/jobs.js";
import { createJobList, type JobList, type JobListOptions } from "./live/job-list.js";
import { DELETE_PHOTO } from "./operations.js";
import { keepParts } from "./parts.js";
import { createQueuedJobCalls, idOf, type QueuedJobCalls, type Reference } from "./queued-jobs.js";
import { createEvents, type Follow } from "./transport/follow.js";
import { createQuery, ONCE, type Query, type RequestOptions } from "./transport/requests.js";
import type { Token } from "./transport/token.js";
import type { Running } from "./transport/with-signal.js";
import type { QueuedJob } from "./types.js";
import { createUpload, type Upload } from "./upload.js";
import { createUrls } from "./urls.js";
import { createWatch, finished, type Watch, type WatchOptions } from "./watch.js";

export interface PhotoServiceOptions {
  /** Address of the service, such as "https://photos.example.com". */
  url: string;
  /** The token, or a function that returns it; it is asked before each request and connection. */
  token: Token;
  /**
   * Milliseconds within which a call is repeated when the service cannot be reached or asks to
   * wait. Default: 60,000.
   */
  retryForMs?: number;
  /**
   * A WebSocket class, where there is none: the class of the package `ws` in Node 20. Null for
   * Server-Sent Events only. Default: the WebSocket of the platform.
   */
  webSocket?: unknown;
}

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

const RETRY_FOR_MS = 60_000;

export function createPhotoService(options: PhotoServiceOptions): PhotoService {
  const {
    token,
    retryForMs = RETRY_FOR_MS,
    webSocket = (globalThis as { WebSocket?: unknown }).WebSocket,
  } = options;
  const url = new URL(options.url).href.replace(/\/+$/, "");
  const running: Running = { closedBy: null, controllers: new Set() };
  const connection = { url, token, retryForMs, running };
  const query = createQuery(connection);
  const events = createEvents(connection, webSocket);
  const urls = createUrls(url);
  const parts = { query, events, urls, rows: createChannel<QueuedJob>() };
  const watch = createWatch(parts);

  const service: PhotoService = {
    ...createQueuedJobCalls(parts),
    upload: createUpload(connection, urls),
    watch,
    finished: (queuedJob, watchOptions) => finished(watch, queuedJob, watchOptions),
    jobs: (listOptions) => createJobList(parts, listOptions),
    async deletePhoto(photo, requestOptions) {
      await query(DELETE_PHOTO, { id: idOf(photo) }, { ...ONCE, ...requestOptions });
    },
    query,
    follow: events.follow,
    close() {
      running.closedBy = new ClosedError();
      for (const controller of running.controllers) controller.abort(running.closedBy);
      events.close();
    },
  };
  return keepParts(service, parts);
}
