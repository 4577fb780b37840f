import { signal, type ReadonlySignal } from "@preact/signals";
import type { Notices } from "./notices.js";

export interface Deletions {
  /** Ids of photos and jobs that are deleted once the time to undo it is over. */
  readonly leaving: ReadonlySignal<ReadonlySet<string>>;
  /** Deletes after some seconds, in which the user can undo it. */
  start(deletion: Deletion): void;
}

interface Deletion {
  ids: readonly string[];
  /** Text of the notice, e.g. "3 photos deleted". */
  text: string;
  remove(): Promise<void>;
}

/** The service deletes at once and finally, so that the page leaves time to undo. */
const UNDO_MS = 6000;

export function createDeletions(notices: Notices): Deletions {
  const leaving = signal<ReadonlySet<string>>(new Set());
  function mark(ids: readonly string[], isLeaving: boolean): void {
    const next = new Set(leaving.value);
    for (const id of ids) {
      if (isLeaving) next.add(id);
      else next.delete(id);
    }
    leaving.value = next;
  }
  return {
    leaving,
    start({ ids, text, remove }) {
      mark(ids, true);
      const timer = setTimeout(() => {
        void remove().finally(() => mark(ids, false));
      }, UNDO_MS);
      const dismiss = notices.show(text, {
        ms: UNDO_MS,
        action: {
          label: "Undo",
          run() {
            clearTimeout(timer);
            mark(ids, false);
            dismiss();
          },
        },
      });
    },
  };
}

const CONCURRENCY = 4;

/** Does the same with each id, some at a time. Returns the failures, each message once. */
export async function forEachId(
  ids: readonly string[],
  act: (id: string) => Promise<void>,
  messageOf: (error: unknown) => string,
): Promise<{ failed: number; messages: string[] }> {
  const queue = [...ids];
  const messages: string[] = [];
  async function work(): Promise<void> {
    for (let id = queue.shift(); id !== undefined; id = queue.shift())
      await act(id).catch((error: unknown) => void messages.push(messageOf(error)));
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return { failed: messages.length, messages: [...new Set(messages)] };
}
