import {
  PermanentTaskError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  TaskFailedError,
} from "../../src/domain/errors.js";
import { ChildStoppedError } from "../../src/child-pool/exit-reason.js";

export type Verdict =
  | { kind: "ok" }
  | { kind: "warned"; message: string }
  | { kind: "refused"; code: string; message: string }
  /** The child process crashed; the user gets `code`. */
  | { kind: "died"; code: string; message: string }
  /** A fault that must never happen. */
  | { kind: "violation"; message: string };

/** A task outside this repository may have its own codes. */
const OWN_CODE = /^[A-Z][A-Z0-9_]*$/;
const CODES = ["PHOTO_UNREADABLE", "PHOTO_TOO_LARGE", "TASK_FAILED"];
/** Internal texts that no user should read. */
const INTERNALS = /vips|libheif|node_modules|\/tmp|\.[jt]s\b|Error:|undefined|NaN|\n/i;

/** Checks that an error is meant for users, and that its message has no internals. */
export function judgeError(error: unknown, { hasOwnCodes = false } = {}): Verdict {
  if (error instanceof ChildStoppedError) return judgeDeath(error);
  const isPublic = [
    PermanentTaskError,
    TaskFailedError,
    PhotoUnreadableError,
    PhotoTooLargeError,
  ].some((kind) => error instanceof kind);
  if (!isPublic)
    return {
      kind: "violation",
      message:
        "unmasked: " + (error instanceof Error ? (error.stack ?? error.message) : String(error)),
    };
  const { code, message } = error as PermanentTaskError;
  if (!(CODES.includes(code) || (hasOwnCodes && OWN_CODE.test(code))))
    return { kind: "violation", message: `the code ${code}: ${message}` };
  if (!/^[A-Z].{8,400}\.$/.test(message) || INTERNALS.test(message))
    return { kind: "violation", message: `not a sentence for users: ${message}` };
  return { kind: "refused", code, message };
}

function judgeDeath({ reason, message }: ChildStoppedError): Verdict {
  if (reason === "memory") return { kind: "died", code: "PHOTO_TOO_LARGE", message };
  if (reason === "crashed" || reason === "killed")
    return { kind: "died", code: "PHOTO_UNREADABLE", message };
  return { kind: "violation", message: `${reason}: ${message}` };
}
