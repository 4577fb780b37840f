import { signal, type ReadonlySignal } from "@preact/signals";
import { bytes } from "../in-words.js";
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

/** Browsers open six connections per host; the rest stay free for other requests. */
const CONCURRENCY = 3;
/** A finished upload leaves the list after this time; a failed one stays until dismissed. */
const DONE_MS = 4000;

export function createUploads({
  token,
  maxBytes,
  onPhoto,
}: {
  token: string;
  maxBytes: number;
  onPhoto(photo: Photo): void;
}): Uploads {
  const list = signal<readonly Upload[]>([]);
  let next = 1;

  function change(id: number, changes: Partial<Upload>): void {
    list.value = list.value.map((upload) =>
      upload.id === id ? { ...upload, ...changes } : upload,
    );
  }

  function sendNext(): void {
    const free = CONCURRENCY - list.value.filter(({ state }) => state === "sending").length;
    for (const upload of list.value.filter(({ state }) => state === "waiting").slice(0, free))
      void send(upload);
  }

  async function send({ id, file }: Upload): Promise<void> {
    change(id, { state: "sending", progress: 0, error: null });
    try {
      checkSize(file, maxBytes);
      const { photo, isNew } = await post(file, token, (progress) => change(id, { progress }));
      change(id, { state: isNew ? "done" : "already-here", progress: 1 });
      if (isNew) setTimeout(() => dismiss(id), DONE_MS);
      onPhoto(photo);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      change(id, { state: "failed", error: message });
    }
    sendNext();
  }

  function dismiss(id: number): void {
    list.value = list.value.filter((upload) => upload.id !== id);
  }

  return {
    list,
    dismiss,
    add(files) {
      list.value = [...list.value, ...Array.from(files, (file) => waitingUpload(next++, file))];
      sendNext();
    },
    retry(id) {
      change(id, { state: "waiting", error: null });
      sendNext();
    },
    clearDone() {
      list.value = list.value.filter(({ state }) => state !== "done" && state !== "already-here");
    },
  };
}

function waitingUpload(id: number, file: File): Upload {
  return { id, file, state: "waiting", progress: 0, error: null };
}

/**
 * The service checks the size as well. But it closes the connection while the browser still
 * sends, and the browser then reports only a broken connection.
 */
function checkSize(file: File, maxBytes: number): void {
  if (file.size > maxBytes) throw new Error(`Too large: the limit is ${bytes(maxBytes)}.`);
}

/** Uses XMLHttpRequest because fetch does not report upload progress. */
function post(
  file: File,
  token: string,
  onProgress: (fraction: number) => void,
): Promise<{ photo: Photo; isNew: boolean }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/photos");
    request.setRequestHeader("authorization", `Bearer ${token}`);
    request.setRequestHeader(
      "content-type",
      file.type.startsWith("image/") ? file.type : "image/*",
    );
    request.setRequestHeader("x-filename", encodeURIComponent(file.name));
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      onProgress(total > 0 ? loaded / total : 0),
    );
    request.addEventListener("error", () =>
      reject(new Error("Upload interrupted. Check your connection and retry.")),
    );
    request.addEventListener("load", () => {
      const answer = request.response as (Photo & { message?: string }) | null;
      if (answer && request.status < 300) resolve({ photo: answer, isNew: request.status === 201 });
      else reject(new Error(answer?.message ?? `The service answered ${request.status}.`));
    });
    request.send(file);
  });
}
