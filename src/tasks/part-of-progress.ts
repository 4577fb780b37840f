import type { TaskContext } from "./define-task.js";

type Progress = TaskContext<unknown>["progress"];

/** The progress of a part that takes the whole from `from` to `to`, told by the part as 0 to 1. */
export function partOfProgress(progress: Progress, from: number, to: number): Progress {
  return (fraction, message) => progress(from + (to - from) * fraction, message);
}
