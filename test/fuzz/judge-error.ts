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
  /** The child died of it; its user is told `code`. */
  | { kind: "died"; code: string; message: string }
  /** What must never be. */
  | { kind: "violation"; message: string };

const CODES = ["PHOTO_UNREADABLE", "PHOTO_TOO_LARGE", "TASK_FAILED"];
/** What no user should read. */
const OF_THE_HOUSE = /vips|libheif|node_modules|\/tmp|\.[jt]s\b|Error:|undefined|NaN|\n/i;

/** Whether an error is one that its user may be told, in words that are meant for him. */
export function judgeError(error: unknown): Verdict {
  if (error instanceof ChildStoppedError) return judgeDeath(error);
  const isTold = [
    PermanentTaskError,
    TaskFailedError,
    PhotoUnreadableError,
    PhotoTooLargeError,
  ].some((kind) => error instanceof kind);
  if (!isTold)
    return {
      kind: "violation",
      message:
        "unmasked: " + (error instanceof Error ? (error.stack ?? error.message) : String(error)),
    };
  const { code, message } = error as PermanentTaskError;
  if (!CODES.includes(code)) return { kind: "violation", message: `the code ${code}: ${message}` };
  if (!/^[A-Z].{8,400}\.$/.test(message) || OF_THE_HOUSE.test(message))
    return { kind: "violation", message: `no sentence for people: ${message}` };
  return { kind: "refused", code, message };
}

function judgeDeath({ reason, message }: ChildStoppedError): Verdict {
  if (reason === "memory") return { kind: "died", code: "PHOTO_TOO_LARGE", message };
  if (reason === "crashed" || reason === "killed")
    return { kind: "died", code: "PHOTO_UNREADABLE", message };
  return { kind: "violation", message: `${reason}: ${message}` };
}
