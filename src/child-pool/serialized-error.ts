import {
  PermanentTaskError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  ServiceUnavailableError,
  TaskFailedError,
} from "../domain/errors.js";

/** An error as it is sent from a child to its parent, or back with an answer. */
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

/** Runs in the process that threw. An error that a caller may not see becomes a plain Error. */
export function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error))
    return { kind: "Error", code: null, message: String(error), stack: null };
  const serialized = { message: error.message, stack: stackOf(error) };
  if (error instanceof PhotoUnreadableError)
    return { kind: "PhotoUnreadableError", code: error.code, ...serialized };
  if (error instanceof PhotoTooLargeError)
    return { kind: "PhotoTooLargeError", code: error.code, ...serialized };
  if (error instanceof PermanentTaskError)
    return { kind: "PermanentTaskError", code: error.code, ...serialized };
  if (error instanceof TaskFailedError)
    return { kind: "TaskFailedError", code: error.code, ...serialized };
  if (error instanceof ServiceUnavailableError)
    return { kind: "ServiceUnavailableError", code: error.code, ...serialized };
  return { kind: "Error", code: null, ...serialized };
}

function stackOf({ stack, cause }: Error): string | null {
  if (stack === undefined || cause === undefined) return stack ?? null;
  return `${stack}\nCaused by: ${cause instanceof Error ? cause.stack : String(cause)}`;
}

/** Runs in the receiving process. Returns an error with the same class, code, message and stack. */
export function restoreError(serialized: SerializedError): Error {
  const error = make(serialized);
  if (serialized.stack !== null) error.stack = serialized.stack;
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
