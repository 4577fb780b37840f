import { restoreError } from "./carried-error.js";
import type { ChildMessage, ParentMessage } from "./child-message.js";

/** What a child's work has asked its parent and has no answer to yet. */
export interface ChildQuestions {
  /** Throws what the parent's answering threw, and the signal's reason once it is aborted. */
  ask(
    asked: { id: number; name: string; argument: unknown },
    signal: AbortSignal,
  ): Promise<unknown>;
  hear(answer: Extract<ParentMessage, { type: "answer" }>): void;
}

export function createChildQuestions(send: (message: ChildMessage) => void): ChildQuestions {
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
    hear: (answer) => open.get(answer.question)?.(answer),
  };
}
