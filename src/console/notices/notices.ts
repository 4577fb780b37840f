import { signal, type ReadonlySignal } from "@preact/signals";

/** A short message at the edge of the page, with at most one action. */
interface Notice {
  id: number;
  text: string;
  isFault: boolean;
  action: { label: string; run(): void } | null;
}

export interface Notices {
  readonly list: ReadonlySignal<readonly Notice[]>;
  /** Shows a message for some seconds. Returns a function that removes it. */
  show(text: string, options?: Partial<Omit<Notice, "id" | "text">> & { ms?: number }): () => void;
  fault(text: string): void;
  dismiss(id: number): void;
}

const SHOWN_MS = 6000;
const FAULT_MS = 15_000;
const MAX_SHOWN = 4;

export function createNotices(): Notices {
  const list = signal<readonly Notice[]>([]);
  let next = 1;
  function dismiss(id: number): void {
    list.value = list.value.filter((notice) => notice.id !== id);
  }
  function show(
    text: string,
    { isFault = false, action = null, ms = SHOWN_MS }: Parameters<Notices["show"]>[1] = {},
  ): () => void {
    const id = next++;
    const others = list.value.filter((notice) => notice.text !== text || notice.action);
    list.value = [...others, { id, text, isFault, action }].slice(-MAX_SHOWN);
    setTimeout(() => dismiss(id), ms);
    return () => dismiss(id);
  }
  return {
    list,
    show,
    dismiss,
    fault: (text) => void show(text, { isFault: true, ms: FAULT_MS }),
  };
}
