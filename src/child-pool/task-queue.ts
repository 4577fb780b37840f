import { ChildStoppedError } from "./exit-reason.js";
import type { RunOptions } from "./child-work.js";

/** A task that no child has taken yet. */
export interface WaitingTask {
  request: unknown;
  options: RunOptions;
  resolve(result: unknown): void;
  reject(error: unknown): void;
  /** Times that a child died before it took the task up. */
  bounced: number;
}

/** First come, first served; a task whose signal is aborted leaves the line at once. */
export interface TaskQueue {
  readonly length: number;
  join(task: WaitingTask): void;
  /** To the front again, after a child that was to take it was found dead. */
  rejoin(task: WaitingTask): void;
  next(): WaitingTask | undefined;
  refuseAll(error: Error): void;
}

export function createTaskQueue(): TaskQueue {
  const line: { task: WaitingTask; onAbort: () => void }[] = [];

  function place(task: WaitingTask, insert: (entry: (typeof line)[number]) => void): void {
    const { signal } = task.options;
    const refuse = () =>
      task.reject(
        new ChildStoppedError("aborted", "The work was aborted before it began.", {
          cause: signal?.reason,
        }),
      );
    if (signal?.aborted) return refuse();
    const entry = { task, onAbort };
    function onAbort(): void {
      line.splice(line.indexOf(entry), 1);
      refuse();
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    insert(entry);
  }
  function next(): WaitingTask | undefined {
    const first = line.shift();
    first?.task.options.signal?.removeEventListener("abort", first.onAbort);
    return first?.task;
  }
  return {
    get length() {
      return line.length;
    },
    join: (task) => place(task, (entry) => line.push(entry)),
    rejoin: (task) => place(task, (entry) => line.unshift(entry)),
    next,
    refuseAll: (error) => {
      for (let task = next(); task !== undefined; task = next()) task.reject(error);
    },
  };
}
