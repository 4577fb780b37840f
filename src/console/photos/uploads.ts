import { signal, type ReadonlySignal } from "@preact/signals";
import type { Upload as Send } from "../../../client/src/index.js";
import { bytes, messageOf } from "../in-words.js";
import type { Photo } from "../types.js";

export interface Upload {
  id: number;
  file: File;
  state: "waiting" | "sending" | "done" | "already-here" | "failed";
  /** 0 to 1. */
  progress: number;
  /** Reason of the failure, as a sentence. */
  error: string | null;
}

export interface Uploads {
  /** Unfinished, failed and recently finished uploads, oldest first. */
  readonly list: ReadonlySignal<readonly Upload[]>;
  add(files: Iterable<File>): void;
  retry(id: number): void;
  dismiss(id: number): void;
  clearDone(): void;
}

/** A finished upload leaves the list after this time; a failed one stays until dismissed. */
const DONE_MS = 4000;
const WAITING = { state: "waiting", progress: 0, error: null } as const;

export function createUploads({
  upload,
  maxBytes,
  onPhoto,
}: {
  upload: Send;
  maxBytes: number;
  onPhoto(photo: Photo): void;
}): Uploads {
  const list = signal<readonly Upload[]>([]);
  let next = 1;

  function change(id: number, changes: Partial<Upload>): void {
    list.value = list.value.map((one) => (one.id === id ? { ...one, ...changes } : one));
  }

  async function send({ id, file }: Upload): Promise<void> {
    change(id, WAITING);
    try {
      checkSize(file, maxBytes);
      const onProgress = (progress: number): void => change(id, { state: "sending", progress });
      const photo = await upload(file, { onProgress });
      change(id, { state: photo.isNew ? "done" : "already-here", progress: 1 });
      if (photo.isNew) setTimeout(() => dismiss(id), DONE_MS);
      onPhoto(photo);
    } catch (error) {
      change(id, { state: "failed", error: messageOf(error) });
    }
  }

  function dismiss(id: number): void {
    list.value = list.value.filter((one) => one.id !== id);
  }

  return {
    list,
    dismiss,
    add(files) {
      const added = Array.from(files, (file) => ({ id: next++, file, ...WAITING }));
      list.value = [...list.value, ...added];
      for (const one of added) void send(one);
    },
    retry(id) {
      const failed = list.value.find((one) => one.id === id);
      if (failed) void send(failed);
    },
    clearDone() {
      list.value = list.value.filter(({ state }) => state !== "done" && state !== "already-here");
    },
  };
}

/**
 * The service checks the size as well. But it closes the connection while the browser still
 * sends, and the browser then reports only a broken connection.
 */
function checkSize(file: File, maxBytes: number): void {
  if (file.size > maxBytes) throw new Error(`Too large: the limit is ${bytes(maxBytes)}.`);
}
