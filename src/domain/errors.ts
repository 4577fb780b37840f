// The closed set of reasons for which the service refuses a request. Each class has a constant
// `code` that clients see. The domain throws them and knows neither GraphQL nor HTTP.
//
// Any other error is a bug or a broken dependency: clients see INTERNAL_SERVER_ERROR.

/**
 * One fault in an input. `path` is relative to the input, for example `["parameters",
 * "durationMs"]`.
 */
export interface InputIssue {
  path: (string | number)[];
  message: string;
}

/** An error that a caller may see: a code of the contract and a sentence. */
export abstract class ServiceError extends Error {
  abstract readonly code: string;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The token is missing or invalid. */
export class UnauthenticatedError extends ServiceError {
  readonly code = "UNAUTHENTICATED";
  /** For a user whose token is still valid. */
  static accountDeleted(): UnauthenticatedError {
    return new UnauthenticatedError("This account was deleted: sign in again.");
  }
}

/** The user is signed in, but lacks the permission. */
export class ForbiddenError extends ServiceError {
  readonly code = "FORBIDDEN";
}

/** The object does not exist or belongs to another user; the error does not reveal which. */
export class NotFoundError extends ServiceError {
  readonly code = "NOT_FOUND";
}

/** The input is invalid; `issues` lists every fault that was found. */
export class InvalidInputError extends ServiceError {
  readonly code = "BAD_USER_INPUT";
  constructor(
    readonly issues: InputIssue[],
    message = issues.map(describeIssue).join("; "),
  ) {
    super(message);
  }
  static at(path: (string | number)[], message: string): InvalidInputError {
    return new InvalidInputError([{ path, message }]);
  }
}

/** The object's state does not allow the operation. */
export class ConflictError extends ServiceError {
  readonly code = "CONFLICT";
}

/** The idempotency key was used before with other arguments. */
export class IdempotencyConflictError extends ServiceError {
  readonly code = "IDEMPOTENCY_CONFLICT";
}

/** The caller has reached a limit; `retryAfterMs` estimates when a retry can succeed. */
export class QuotaExceededError extends ServiceError {
  readonly code = "QUOTA_EXCEEDED";
  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** The stream cannot be resumed from this cursor; the client must read the page again. */
export class CursorExpiredError extends ServiceError {
  readonly code = "CURSOR_EXPIRED";
}

/**
 * PostgreSQL, the key server or the storage is unavailable. The operation has not run, or its
 * outcome is unknown.
 */
export class ServiceUnavailableError extends ServiceError {
  readonly code = "SERVICE_UNAVAILABLE";
}

export function storageUnavailable(cause: unknown): ServiceUnavailableError {
  const message = "The storage is unavailable; try again in a moment.";
  return new ServiceUnavailableError(message, { cause });
}

/** For a file that cannot be written, for example because the disk is full. */
export function storageRefusesFiles(cause: unknown): ServiceUnavailableError {
  const message = "The storage accepts no files at the moment; try again later.";
  return new ServiceUnavailableError(message, { cause });
}

/** The upload is too slow or has stopped. */
export class TooSlowError extends ServiceError {
  readonly code = "BAD_USER_INPUT";
}

/** The bytes are not a photo of an accepted format, or the header cannot be read. */
export class PhotoUnreadableError extends ServiceError {
  readonly code = "PHOTO_UNREADABLE";
}

/** The photo exceeds a limit on bytes, pixels, pages or sides. */
export class PhotoTooLargeError extends ServiceError {
  readonly code = "PHOTO_TOO_LARGE";
}

/** True if the photo itself is at fault, so that a retry would fail the same way. */
export function isAboutPhoto(error: unknown): error is PhotoUnreadableError | PhotoTooLargeError {
  return error instanceof PhotoUnreadableError || error instanceof PhotoTooLargeError;
}

/** Thrown by a task when this attempt failed; its user sees the message. */
export class TaskFailedError extends ServiceError {
  readonly code = "TASK_FAILED";
}

/** Thrown by a task when the QueuedJob fails for good; the attempts that remain are not used. */
export class PermanentTaskError extends ServiceError {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

function describeIssue({ path, message }: InputIssue): string {
  return path.length > 0 ? `${path.join(".")}: ${message}` : message;
}
