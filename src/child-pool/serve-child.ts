import { serializeError, restoreError } from "./serialized-error.js";
import type { ChildMessage, ParentMessage } from "./child-message.js";

/** How a child's work speaks while it runs. */
export interface ChildTools {
  /** `fraction` 0 to 1. */
  progress(fraction: number, message?: string): void;
  /** Aborted when the parent wants the work to stop; what has not stopped soon after is killed. */
  signal: AbortSignal;
  /**
   * What the parent answers; throws what its answering throws, and when the work is told to stop.
   */
  ask(name: string, argument: unknown): Promise<unknown>;
}

/**
 * The child's side of a pool: says that it is ready, then answers one request after the other.
 * `handle` must not settle before everything it started has stopped, because the parent then reuses
 * the child and removes its files.
 */
export function serveChild(
  handle: (request: unknown, tools: ChildTools) => Promise<unknown>,
): void {
  if (process.send === undefined)
    throw new Error("This module is run by a child pool, not by hand.");
  const questions = createChildQuestions();
  let current: { id: number; abort: AbortController } | null = null;
  // Not process.exit(): that waits for libvips to finish and leaves a busy orphan behind a parent
  // that died.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // Ctrl-C and service managers signal the whole group; the parent decides when its children end.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.on("message", (message: ParentMessage) => {
    if (message.type === "run") void answer(message);
    else if (message.type === "answer") questions.receive(message);
    else if (message.id === current?.id) current.abort.abort();
  });

  async function answer({ id, request }: Extract<ParentMessage, { type: "run" }>): Promise<void> {
    const abort = new AbortController();
    current = { id, abort };
    send({ type: "begun", id });
    const progress = (fraction: number, message?: string) =>
      send({ type: "progress", id, fraction, ...(message !== undefined && { message }) });
    try {
      const result = await handle(request, {
        progress,
        signal: abort.signal,
        ask: (name, argument) => questions.ask({ id, name, argument }, abort.signal),
      });
      send({ type: "done", id, rssBytes: process.memoryUsage.rss(), result });
    } catch (error) {
      send({
        type: "failed",
        id,
        rssBytes: process.memoryUsage.rss(),
        error: serializeError(error),
      });
    }
    current = null;
  }
  send({ type: "ready" });
}

function send(message: ChildMessage): void {
  // A channel that is closed means that the parent is gone, and `disconnect` ends this process.
  process.send?.(message, undefined, undefined, () => {});
}

/** What a child's work has asked its parent and has no answer to yet. */
interface ChildQuestions {
  /** Throws what the parent's answering threw, and the signal's reason once it is aborted. */
  ask(
    asked: { id: number; name: string; argument: unknown },
    signal: AbortSignal,
  ): Promise<unknown>;
  receive(answer: Extract<ParentMessage, { type: "answer" }>): void;
}

function createChildQuestions(): ChildQuestions {
  const open = new Map<number, (answer: Extract<ParentMessage, { type: "answer" }>) => void>();
  let last = 0;
  return {
    async ask(asked, signal) {
      signal.throwIfAborted();
      const question = ++last;
      let forget = () => {};
      try {
        return await new Promise((resolve, reject) => {
          const onAbort = () => reject(signal.reason as Error);
          signal.addEventListener("abort", onAbort, { once: true });
          forget = () => signal.removeEventListener("abort", onAbort);
          open.set(question, ({ outcome }) =>
            "error" in outcome ? reject(restoreError(outcome.error)) : resolve(outcome.result),
          );
          send({ type: "ask", question, ...asked });
        });
      } finally {
        forget();
        open.delete(question);
      }
    },
    // One that nobody waits for any more is of a work that was stopped.
    receive: (answer) => open.get(answer.question)?.(answer),
  };
}
