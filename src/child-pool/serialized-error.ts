import {
  PermanentTaskError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  ServiceUnavailableError,
  TaskFailedError,
} from "../domain/errors.js";

/** An error as it crosses from a child to its parent, or back with an answer. */
export interface SerializedError {
  kind:
    | "PhotoUnreadableError"
    | "PhotoTooLargeError"
    | "PermanentTaskError"
    | "TaskFailedError"
    | "ServiceUnavailableError"
    | "Error";
  code: string | null;
  message: string;
  stack: string | null;
}

/**
 * The thrower's side. Whatever is not one of the errors that a caller may be told becomes a plain
 * Error.
 */
export function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error))
    return { kind: "Error", code: null, message: String(error), stack: null };
  const carried = { message: error.message, stack: stackOf(error) };
  if (error instanceof PhotoUnreadableError)
    return { kind: "PhotoUnreadableError", code: error.code, ...carried };
  if (error instanceof PhotoTooLargeError)
    return { kind: "PhotoTooLargeError", code: error.code, ...carried };
  if (error instanceof PermanentTaskError)
    return { kind: "PermanentTaskError", code: error.code, ...carried };
  if (error instanceof TaskFailedError)
    return { kind: "TaskFailedError", code: error.code, ...carried };
  if (error instanceof ServiceUnavailableError)
    return { kind: "ServiceUnavailableError", code: error.code, ...carried };
  return { kind: "Error", code: null, ...carried };
}

function stackOf({ stack, cause }: Error): string | null {
  if (stack === undefined || cause === undefined) return stack ?? null;
  return `${stack}\nCaused by: ${cause instanceof Error ? cause.stack : String(cause)}`;
}

/** The other side: an error of the same class, code, message and (the thrower's) stack. */
export function restoreError(carried: SerializedError): Error {
  const error = make(carried);
  if (carried.stack !== null) error.stack = carried.stack;
  return error;
}

function make({ kind, code, message }: SerializedError): Error {
  switch (kind) {
    case "PhotoUnreadableError":
      return new PhotoUnreadableError(message);
    case "PhotoTooLargeError":
      return new PhotoTooLargeError(message);
    case "PermanentTaskError":
      return new PermanentTaskError(code ?? "TASK_FAILED", message);
    case "TaskFailedError":
      return new TaskFailedError(message);
    case "ServiceUnavailableError":
      return new ServiceUnavailableError(message);
    case "Error":
      return new Error(message);
  }
}
