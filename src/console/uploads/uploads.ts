import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { PhotoTooLargeError, type Upload as Send } from "../../../client/src/index.js";
import { messageOf } from "../in-words.js";
import { createSpeed } from "./speed.js";

export interface Upload {
  id: number;
  file: File;
  state: "waiting" | "sending" | "done" | "already-here" | "failed";
  /** 0 to 1. */
  progress: number;
  /** Reason of the failure, as a sentence. */
  error: string | null;
  /** True after a failure that another attempt may not repeat. */
  canRetry: boolean;
  photoId: string | null;
  /** Why the picture of a taken photo cannot be shown. */
  damaged: string | null;
}

export interface Total {
  files: number;
  finished: number;
  failed: number;
  /** 0 to 1, by bytes. */
  progress: number;
  bytesPerSecond: number;
  /** Null while the speed is not known. */
  secondsLeft: number | null;
}

export interface Uploads {
  /** The uploads of this batch, oldest first; it ends when the user clears it. */
  readonly list: ReadonlySignal<readonly Upload[]>;
  readonly total: ReadonlySignal<Total>;
  readonly isRunning: ReadonlySignal<boolean>;
  /** Ids of the sound photos that the batch has brought. */
  readonly photoIds: ReadonlySignal<readonly string[]>;
  add(files: Iterable<File>): void;
  retry(id: number): void;
  retryFailed(): void;
  /** Stops an upload, or removes a finished one from the list. */
  dismiss(id: number): void;
  cancelAll(): void;
  clear(): void;
}

const WAITING = { state: "waiting", progress: 0, error: null, canRetry: false } as const;
/** Codes of refusals for which the file is the reason. */
const ABOUT_FILE = /^(PHOTO|BAD)_/;

export function isOver({ state }: Upload): boolean {
  return state === "done" || state === "already-here" || state === "failed";
}

export interface UploadsOptions {
  upload: Send;
  maxBytes: number;
  onUploaded(): void;
}

export function createUploads(options: UploadsOptions): Uploads {
  const list = signal<readonly Upload[]>([]);
  const sending = createSending(options, list);
  let next = 1;

  function dismiss(id: number): void {
    sending.stop(id);
    list.value = list.value.filter((one) => one.id !== id);
  }

  const sendAll = (uploads: readonly Upload[]): void => {
    for (const one of uploads) void sending.send(one);
  };

  return {
    list,
    dismiss,
    isRunning: computed(() => list.value.some((one) => !isOver(one))),
    total: computed(() => totalOf(list.value, sending.speed())),
    photoIds: computed(() =>
      list.value.flatMap(({ photoId, damaged }) => (photoId && !damaged ? [photoId] : [])),
    ),
    add(files) {
      const fields = { ...WAITING, photoId: null, damaged: null };
      const added = Array.from(files, (file) => ({ id: next++, file, ...fields }));
      // Uploads without a fault leave the list when a new batch begins.
      const kept = list.value.every(isOver)
        ? list.value.filter(({ state }) => state === "failed")
        : list.value;
      list.value = [...kept, ...added];
      sendAll(added);
    },
    retry: (id) => sendAll(list.value.filter((one) => one.id === id)),
    retryFailed: () => sendAll(list.value.filter(({ canRetry }) => canRetry)),
    cancelAll() {
      for (const one of list.value) sending.stop(one.id);
      list.value = list.value.filter(isOver);
    },
    clear() {
      list.value = list.value.filter((one) => !isOver(one));
    },
  };
}

/** Sends files, and notes in the list how far each is. */
function createSending(
  { upload, maxBytes, onUploaded }: UploadsOptions,
  list: Signal<readonly Upload[]>,
) {
  const running = new Map<number, AbortController>();
  const speed = createSpeed();

  function change(id: number, changes: Partial<Upload>): void {
    list.value = list.value.map((one) => (one.id === id ? { ...one, ...changes } : one));
  }

  async function send({ id, file }: Upload): Promise<void> {
    const stop = new AbortController();
    running.set(id, stop);
    change(id, WAITING);
    try {
      checkSize(file, maxBytes);
      let sent = 0;
      const onProgress = (progress: number): void => {
        speed.add(Math.max(0, progress * file.size - sent));
        sent = progress * file.size;
        change(id, { state: "sending", progress });
      };
      const photo = await upload(file, { onProgress, signal: stop.signal });
      const state = photo.isNew ? "done" : "already-here";
      change(id, { state, progress: 1, photoId: photo.id, damaged: photo.damaged });
      onUploaded();
    } catch (error) {
      if (stop.signal.aborted) return;
      const canRetry = !ABOUT_FILE.test(String((error as { code?: unknown }).code));
      change(id, { state: "failed", error: messageOf(error), canRetry });
    } finally {
      running.delete(id);
    }
  }

  return { send, speed: speed.now, stop: (id: number) => running.get(id)?.abort() };
}

function totalOf(list: readonly Upload[], bytesPerSecond: number): Total {
  const size = list.reduce((sum, { file }) => sum + file.size, 0);
  const sent = list.reduce((sum, one) => sum + one.file.size * (isOver(one) ? 1 : one.progress), 0);
  return {
    files: list.length,
    finished: list.filter(isOver).length,
    failed: list.filter(({ state }) => state === "failed").length,
    progress: size === 0 ? 1 : sent / size,
    bytesPerSecond,
    secondsLeft: bytesPerSecond > 0 ? (size - sent) / bytesPerSecond : null,
  };
}

/**
 * The service checks the size as well. But it closes the connection while the browser still
 * sends, and the browser then reports only a broken connection.
 */
function checkSize(file: File, maxBytes: number): void {
  if (file.size > maxBytes)
    throw new PhotoTooLargeError(
      "PHOTO_TOO_LARGE",
      `Too large: the limit is ${Math.round(maxBytes / 1048576)} MB.`,
    );
}
