import { serializeError, restoreError } from "./serialized-error.js";
import type { ChildMessage, ParentMessage } from "./child-message.js";

/** Functions that a child's work uses to communicate with its parent. */
export interface ChildTools {
  /** `fraction` is between 0 and 1. */
  progress(fraction: number, message?: string): void;
  /** Aborted when the parent stops the work; the parent kills work that does not stop soon. */
  signal: AbortSignal;
  /**
   * Resolves with the parent's answer. Throws the parent's error, or the abort reason when the work
   * is stopped.
   */
  ask(name: string, argument: unknown): Promise<unknown>;
}

/**
 * The child's side of a pool: sends `ready`, then handles one request after the other. `handle`
 * must not settle before everything it started has stopped, because the parent then reuses the
 * child and removes its files.
 */
export function serveChild(
  handle: (request: unknown, tools: ChildTools) => Promise<unknown>,
): void {
  if (process.send === undefined)
    throw new Error("A child pool must start this module; it cannot be run directly.");
  const questions = createChildQuestions();
  let current: { id: number; abort: AbortController } | null = null;
  // process.exit() is not used: it waits for libvips, and leaves a busy orphan when the parent has
  // died.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // Ctrl-C and service managers send the signal to the whole process group, but the parent decides
  // when its children end.
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
  // A send fails only when the channel is closed. Then the parent has ended, and `disconnect` ends
  // this process.
  process.send?.(message, undefined, undefined, () => {});
}

/** The questions of a child's work that its parent has not answered yet. */
interface ChildQuestions {
  /** Throws the parent's error, or the signal's reason once it is aborted. */
  ask(
    request: { id: number; name: string; argument: unknown },
    signal: AbortSignal,
  ): Promise<unknown>;
  receive(answer: Extract<ParentMessage, { type: "answer" }>): void;
}

function createChildQuestions(): ChildQuestions {
  const open = new Map<number, (answer: Extract<ParentMessage, { type: "answer" }>) => void>();
  let last = 0;
  return {
    async ask(request, signal) {
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
          send({ type: "ask", question, ...request });
        });
      } finally {
        forget();
        open.delete(question);
      }
    },
    // An answer without an open question belongs to work that was stopped.
    receive: (answer) => open.get(answer.question)?.(answer),
  };
}
