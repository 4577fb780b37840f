export type { PhotoServiceOptions } from "./connect.js";
export { createPhotoService } from "./photo-service.js";
export type { PhotoService } from "./photo-service.js";
export {
  ClosedError,
  ConflictError,
  CursorExpiredError,
  ForbiddenError,
  IdempotencyConflictError,
  InternalServerError,
  InvalidInputError,
  InvalidRequestError,
  NotFoundError,
  PhotoServiceError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  QuotaExceededError,
  ServiceUnavailableError,
  TokenError,
  UnauthenticatedError,
  UnreachableError,
} from "./errors.js";
export type { InputIssue } from "./errors.js";
export { execute, type Operation, type Sink } from "./execute.js";
export type * from "./generated/jobs.js";
export type { JobList, JobListOptions, JobListSnapshot } from "./live/job-list.js";
export { createLiveJob, type LiveJobSnapshot } from "./live/live-job.js";
export { isNewer } from "./live/job-rows.js";
export type { Live } from "./live/live.js";
export type { PhotoFilter, PhotoOrder } from "./live/photo-filter.js";
export { createPhotoList } from "./live/photo-list.js";
export type { PhotoList, PhotoListSnapshot } from "./live/photo-list.js";
export type { PhotoListOptions } from "./live/photo-pages.js";
export type { Reference, RunOptions } from "./queued-jobs.js";
export type { Follow, FollowOptions } from "./transport/follow.js";
export type { Query, RequestOptions } from "./transport/requests.js";
export type { Token } from "./transport/token.js";
export { isFinished, isJob } from "./types.js";
export type {
  JobError,
  JobPhoto,
  OutputFile,
  Photo,
  QueuedJob,
  QueuedJobEvent,
  QueuedJobEventType,
  QueuedJobStatus,
} from "./types.js";
export type { Upload, UploadedPhoto, UploadOptions } from "./upload.js";
export type { WatchOptions } from "./watch.js";
