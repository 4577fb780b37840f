import { effect, signal, type ReadonlySignal } from "@preact/signals";
import { isOver, type Upload } from "./uploads.js";

type FileFacts = Pick<File, "name" | "size">;

export interface Interrupted {
  /** Files whose uploads ended with an earlier load of the page, until they are given again. */
  readonly files: ReadonlySignal<readonly FileFacts[]>;
  dismiss(): void;
  close(): void;
}

const KEY = "photo-service interrupted";

/**
 * Remembers unfinished uploads over a reload. A page cannot keep the files themselves, so that it
 * can only ask for them.
 */
export function createInterrupted(uploads: ReadonlySignal<readonly Upload[]>): Interrupted {
  const files = signal<readonly FileFacts[]>(restore());
  const leaving = new AbortController();
  const unfinished = (): FileFacts[] =>
    uploads.peek().flatMap((upload) => (isOver(upload) ? [] : [upload.file]));
  addEventListener("pagehide", () => store([...files.peek(), ...unfinished()]), leaving);
  const stop = effect(() => {
    const given = uploads.value;
    const missing = files.peek().filter(({ name, size }) => !given.some(isFile(name, size)));
    if (missing.length < files.peek().length) files.value = missing;
  });
  return {
    files,
    dismiss() {
      files.value = [];
    },
    close() {
      leaving.abort();
      stop();
    },
  };
}

const isFile =
  (name: string, size: number) =>
  ({ file }: Upload): boolean =>
    file.name === name && file.size === size;

function store(files: readonly FileFacts[]): void {
  if (files.length > 0)
    sessionStorage.setItem(KEY, JSON.stringify(files.map(({ name, size }) => ({ name, size }))));
}

function restore(): FileFacts[] {
  const stored = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return stored ? (JSON.parse(stored) as FileFacts[]) : [];
}
