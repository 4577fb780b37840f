// The closed set of reasons for which the service refuses something. Each class has a constant
// `code`, the one that clients see; the domain throws them and knows no GraphQL and no HTTP. What
// is not one of these is a bug or a broken dependency and reaches clients as INTERNAL_SERVER_ERROR.

/** One fault of an input; `path` begins inside the input, e.g. `["parameters", "durationMs"]`. */
export interface InputIssue {
  path: (string | number)[];
  message: string;
}

/** Whatever a caller may be told: a code of the contract and a sentence. */
export abstract class ServiceError extends Error {
  abstract readonly code: string;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No token, or one that does not hold. */
export class UnauthenticatedError extends ServiceError {
  readonly code = "UNAUTHENTICATED";
  /** Of a user whose token still holds. */
  static accountDeleted(): UnauthenticatedError {
    return new UnauthenticatedError("This account was deleted: sign in again.");
  }
}

/** Signed in, but not allowed. */
export class ForbiddenError extends ServiceError {
  readonly code = "FORBIDDEN";
}

/** No such thing, or not yours: the two are never told apart. */
export class NotFoundError extends ServiceError {
  readonly code = "NOT_FOUND";
}

/** The input is wrong; every fault that was found is listed. */
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

/** The thing is in a state that does not allow it. */
export class ConflictError extends ServiceError {
  readonly code = "CONFLICT";
}

/** The idempotency key was used before, with other arguments. */
export class IdempotencyConflictError extends ServiceError {
  readonly code = "IDEMPOTENCY_CONFLICT";
}

/**
 * A limit of the caller's is reached; `retryAfterMs` is a guess at when it is worth another try.
 */
export class QuotaExceededError extends ServiceError {
  readonly code = "QUOTA_EXCEEDED";
  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** The stream cannot be resumed from this cursor: read the page again. */
export class CursorExpiredError extends ServiceError {
  readonly code = "CURSOR_EXPIRED";
}

/**
 * PostgreSQL, the key server or the storage is away: nothing was done, or the outcome is unknown.
 */
export class ServiceUnavailableError extends ServiceError {
  readonly code = "SERVICE_UNAVAILABLE";
}

/** The bytes of an upload come too slowly, or not at all. */
export class TooSlowError extends ServiceError {
  readonly code = "BAD_USER_INPUT";
}

/** The bytes are no photo of an accepted format, or its header cannot be read. */
export class PhotoUnreadableError extends ServiceError {
  readonly code = "PHOTO_UNREADABLE";
}

/** The photo is over a limit: bytes, pixels, pages or sides. */
export class PhotoTooLargeError extends ServiceError {
  readonly code = "PHOTO_TOO_LARGE";
}

/** The picture is what it is: another try would end alike. */
export function isAboutPhoto(error: unknown): error is PhotoUnreadableError | PhotoTooLargeError {
  return error instanceof PhotoUnreadableError || error instanceof PhotoTooLargeError;
}

/** Thrown by a task: this attempt failed, for a reason that its user may be told. */
export class TaskFailedError extends ServiceError {
  readonly code = "TASK_FAILED";
}

/** Thrown by a task: this QueuedJob fails for good, however many attempts are left. */
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
