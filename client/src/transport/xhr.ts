import { UnreachableError } from "../errors.js";

/** One attempt to send a file. */
export interface Sending {
  url: string;
  headers: Record<string, string>;
  file: Blob;
  onProgress(fraction: number): void;
  signal: AbortSignal;
}

/** The part of XMLHttpRequest that is used, because this package compiles without DOM types. */
interface Xhr {
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: Blob): void;
  abort(): void;
  readonly status: number;
  readonly response: unknown;
  responseType: string;
  readonly upload: {
    addEventListener(
      type: "progress",
      listener: (event: { loaded: number; total: number }) => void,
    ): void;
  };
  addEventListener(type: "load" | "error", listener: () => void): void;
}

/** Undefined outside of browsers. */
export const XHR = (globalThis as { XMLHttpRequest?: unknown }).XMLHttpRequest as
  (new () => Xhr) | undefined;

/** Uses XMLHttpRequest, because `fetch` in browsers does not report the progress of an upload. */
export function sendWithXhr({
  url,
  headers,
  file,
  onProgress,
  signal,
}: Sending): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const request = new (XHR as new () => Xhr)();
    const abort = (): void => {
      reject(signal.reason);
      request.abort();
    };
    const lose = (): void => reject(new UnreachableError());
    request.open("POST", url);
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      onProgress(loaded / (total || 1)),
    );
    request.addEventListener("error", lose);
    request.addEventListener("load", () => {
      const { status, response: json } = request;
      // Null when the answer is a proxy's page instead of JSON.
      if (json) resolve({ status, json });
      else lose();
    });
    signal.addEventListener("abort", abort);
    request.send(file);
    if (signal.aborted) abort();
  });
}
