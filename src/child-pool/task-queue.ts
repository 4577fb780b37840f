import { ChildStoppedError } from "./exit-reason.js";
import type { RunOptions } from "./child-work.js";

/** A task that no child has taken yet. */
export interface WaitingTask {
  request: unknown;
  options: RunOptions;
  resolve(result: unknown): void;
  reject(error: unknown): void;
  /** How often a child died before it started the task. */
  bounced: number;
}

/** Tasks in order of arrival; an aborted task leaves the queue at once. */
export interface TaskQueue {
  readonly length: number;
  join(task: WaitingTask): void;
  /** Puts a task back to the front, after its child was found dead. */
  rejoin(task: WaitingTask): void;
  next(): WaitingTask | undefined;
  refuseAll(error: Error): void;
}

export function createTaskQueue(): TaskQueue {
  const queue: { task: WaitingTask; onAbort: () => void }[] = [];

  function place(task: WaitingTask, insert: (entry: (typeof queue)[number]) => void): void {
    const { signal } = task.options;
    const refuse = () =>
      task.reject(
        new ChildStoppedError("aborted", "The work was aborted before it started.", {
          cause: signal?.reason,
        }),
      );
    if (signal?.aborted) return refuse();
    const entry = { task, onAbort };
    function onAbort(): void {
      queue.splice(queue.indexOf(entry), 1);
      refuse();
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    insert(entry);
  }
  function next(): WaitingTask | undefined {
    const first = queue.shift();
    first?.task.options.signal?.removeEventListener("abort", first.onAbort);
    return first?.task;
  }
  return {
    get length() {
      return queue.length;
    },
    join: (task) => place(task, (entry) => queue.push(entry)),
    rejoin: (task) => place(task, (entry) => queue.unshift(entry)),
    next,
    refuseAll: (error) => {
      for (let task = next(); task !== undefined; task = next()) task.reject(error);
    },
  };
}
