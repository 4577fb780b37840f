// One class for each code of the service, and three for faults outside of it.

/** One fault in an input. `path` starts inside the input: `["parameters", "widths", 1]`. */
export interface InputIssue {
  path: readonly (string | number)[];
  message: string;
}

interface Details {
  retryAfterMs?: number | null;
  issues?: readonly InputIssue[];
  requestId?: string | null;
  cause?: unknown;
}

/** A call failed. `code` is a code of the service, or one of the three of this package. */
export class PhotoServiceError extends Error {
  declare readonly code: string;
  /** Milliseconds after which a repetition can succeed; null when the service did not say. */
  declare readonly retryAfterMs: number | null;
  /** Every fault of the input; empty unless the code is BAD_USER_INPUT. */
  declare readonly issues: readonly InputIssue[];
  /** Names the request in the log of the service; null when the answer did not contain it. */
  declare readonly requestId: string | null;

  constructor(code: string, message: string, { cause, ...details }: Details = {}) {
    super(message, { cause });
    const name = "PhotoServiceError";
    Object.assign(this, { name, code, retryAfterMs: null, issues: [], requestId: null }, details);
  }
}

/** The token is missing, expired or invalid. */
export class UnauthenticatedError extends PhotoServiceError {}
/** The user may not do this. */
export class ForbiddenError extends PhotoServiceError {}
/** The object does not exist, or belongs to another user. */
export class NotFoundError extends PhotoServiceError {}
/** The input is wrong; `issues` lists every fault. */
export class InvalidInputError extends PhotoServiceError {}
/** The state of the object does not allow this. */
export class ConflictError extends PhotoServiceError {}
/** The idempotency key was used before with other arguments. */
export class IdempotencyConflictError extends PhotoServiceError {}
/** A limit is reached; `retryAfterMs` says when to try again. */
export class QuotaExceededError extends PhotoServiceError {}
/** The stream cannot resume from this cursor: read the page again. */
export class CursorExpiredError extends PhotoServiceError {}
/** The service cannot work at the moment. */
export class ServiceUnavailableError extends PhotoServiceError {}
/** The photo has too many bytes, pixels or pages. */
export class PhotoTooLargeError extends PhotoServiceError {}
/** The file is not a photo in an accepted format. */
export class PhotoUnreadableError extends PhotoServiceError {}
/** A fault of the service; its log has the details under `requestId`. */
export class InternalServerError extends PhotoServiceError {}
/** The document or the request is not valid. */
export class InvalidRequestError extends PhotoServiceError {}

/** The service cannot be reached, or the connection was lost (code `UNREACHABLE`). */
export class UnreachableError extends PhotoServiceError {
  constructor(cause?: unknown) {
    super("UNREACHABLE", "The service cannot be reached.", { cause });
  }
}

/** The token function failed (code `TOKEN_FAILED`); `cause` is what it threw. */
export class TokenError extends PhotoServiceError {
  constructor(cause: unknown) {
    super("TOKEN_FAILED", `There is no token. ${cause}`, { cause });
  }
}

/** The call was made after `close()` (code `CLOSED`). */
export class ClosedError extends PhotoServiceError {
  constructor() {
    super("CLOSED", "This client is closed.");
  }
}

const CLASSES: Record<string, typeof PhotoServiceError> = {
  UNAUTHENTICATED: UnauthenticatedError,
  FORBIDDEN: ForbiddenError,
  NOT_FOUND: NotFoundError,
  BAD_USER_INPUT: InvalidInputError,
  CONFLICT: ConflictError,
  IDEMPOTENCY_CONFLICT: IdempotencyConflictError,
  QUOTA_EXCEEDED: QuotaExceededError,
  CURSOR_EXPIRED: CursorExpiredError,
  SERVICE_UNAVAILABLE: ServiceUnavailableError,
  PHOTO_TOO_LARGE: PhotoTooLargeError,
  PHOTO_UNREADABLE: PhotoUnreadableError,
  INTERNAL_SERVER_ERROR: InternalServerError,
  GRAPHQL_PARSE_FAILED: InvalidRequestError,
  GRAPHQL_VALIDATION_FAILED: InvalidRequestError,
  BAD_REQUEST: InvalidRequestError,
};

/** An error as the service sends it: of GraphQL, or of an upload. */
export interface SentError extends SentDetails {
  message?: string;
  extensions?: SentDetails;
}

interface SentDetails {
  code?: string;
  retryAfterMs?: number;
  issues?: readonly InputIssue[];
}

export function errorFrom(
  { message, extensions, ...rest }: SentError,
  requestId: string | null = null,
): PhotoServiceError {
  const { code = "INTERNAL_SERVER_ERROR", ...details } = extensions ?? rest;
  const Class = CLASSES[code] ?? PhotoServiceError;
  return new Class(code, message ?? code, { ...details, requestId });
}

/** Throws the first error of an answer. */
export function throwFirst(errors: readonly SentError[] = [], requestId?: string | null): void {
  for (const error of errors) throw errorFrom(error, requestId);
}

/** True if the same call can succeed later without a change. */
export function isPassing(error: unknown): error is PhotoServiceError {
  return (
    error instanceof UnreachableError ||
    error instanceof ServiceUnavailableError ||
    error instanceof QuotaExceededError
  );
}
