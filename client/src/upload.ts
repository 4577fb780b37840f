import { errorFrom, type SentError } from "./errors.js";
import { createLimit } from "./transport/limit.js";
import { repeat } from "./transport/repeat.js";
import { reasonOf, type Connection } from "./transport/requests.js";
import { withToken } from "./transport/token.js";
import { withSignal } from "./transport/with-signal.js";
import { sendWithXhr, XHR, type Sending } from "./transport/xhr.js";
import type { Photo } from "./types.js";
import type { Urls } from "./urls.js";

export interface UploadOptions {
  /** Name of the file for display. Default: its own name, or "photo". */
  filename?: string | undefined;
  /**
   * Called with 0 to 1; it falls back to 0 when the upload starts over. Outside of browsers it is
   * called at the beginning and at the end.
   */
  onProgress?: ((fraction: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface UploadedPhoto extends Photo {
  /** False if the service had these bytes already, also from an attempt whose answer was lost. */
  isNew: boolean;
}

export type Upload = (file: Blob, options?: UploadOptions) => Promise<UploadedPhoto>;

/** Browsers open six connections per host; the rest stay free for other requests. */
const CONCURRENCY = 3;

/** A connection without progress for this time counts as lost. */
const SILENCE_MS = 60_000;

/** Repeats are safe: the same bytes of the same user give the same Photo. */
export function createUpload(connection: Connection, urls: Urls): Upload {
  const { url, token, retryForMs, running } = connection;
  const limit = createLimit(CONCURRENCY);

  return (file, options = {}) => {
    const send = (current: string, signal: AbortSignal) =>
      sendOnce(
        { url: `${url}/photos`, headers: headersOf(file, options, current), file, signal },
        options,
      );
    const start = async (signal: AbortSignal) =>
      urls.ofPhoto(await withToken(token, (current) => send(current, signal)));
    return withSignal(
      options.signal,
      (signal) => limit(() => repeat(() => start(signal), { retryForMs, signal }), signal),
      { running },
    );
  };
}

function headersOf(file: Blob, { filename }: UploadOptions, token: string) {
  const name = filename ?? (file as { name?: string }).name ?? "photo";
  return {
    authorization: `Bearer ${token}`,
    // The service looks at the bytes; browsers have no type for some formats.
    "content-type": file.type.startsWith("image/") ? file.type : "application/octet-stream",
    // A lone surrogate cannot be encoded.
    "x-filename": encodeURIComponent(name.replaceAll(/\p{Cs}/gu, "\ufffd")),
  };
}

async function sendOnce(
  sending: Omit<Sending, "onProgress">,
  { onProgress = () => {} }: UploadOptions,
): Promise<UploadedPhoto> {
  onProgress(0);
  const { status, json } = await (XHR
    ? withSignal(
        sending.signal,
        (signal, renew) =>
          sendWithXhr({
            ...sending,
            signal,
            onProgress(fraction) {
              renew();
              onProgress(fraction);
            },
          }),
        { timeoutMs: SILENCE_MS },
      )
    : sendWithFetch(sending));
  if (status >= 300) throw errorFrom(json as SentError);
  onProgress(1);
  return { ...(json as Photo), isNew: status === 201 };
}

/** Outside of browsers, only the beginning and the end are reported. */
async function sendWithFetch({ url, headers, file, signal }: Omit<Sending, "onProgress">) {
  try {
    const response = await fetch(url, { method: "POST", headers, body: file, signal });
    return { status: response.status, json: (await response.json()) as unknown };
  } catch (error) {
    throw reasonOf(error, signal);
  }
}
