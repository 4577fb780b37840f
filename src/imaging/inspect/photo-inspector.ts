import { ServiceUnavailableError } from "../../domain/errors.js";
import {
  createChildPool,
  type ChildPool,
  type ChildPoolOptions,
} from "../../child-pool/child-pool.js";
import type { PhotoChildRequest, PhotoChildResponse, PhotoPreview } from "./photo-child-request.js";
import { parsePhotoChildResponse, sizeOfPlainFile } from "./photo-child-response.js";
import type { PhotoHeader } from "../formats/photo-header.js";

/**
 * Looks at uploaded files for the API, in child processes: no pixel is decoded in the API's own.
 */
export interface PhotoInspector {
  /**
   * What the header says. Throws PhotoUnreadableError and PhotoTooLargeError;
   * ServiceUnavailableError when many wait already; ChildStoppedError when the child died of it, or
   * `signal`, which bounds the wait and the work together, was aborted.
   */
  probe(path: string, options?: { signal?: AbortSignal }): Promise<PhotoHeader>;
  /**
   * Writes an upright WebP of at most 512 pixels to `outputPath` and says what it looks like.
   * `signal` bounds the wait and the work together; aborted, it throws ChildStoppedError, and what
   * lies at `outputPath` is to be thrown away.
   */
  preview(
    path: string,
    outputPath: string,
    options?: { signal?: AbortSignal },
  ): Promise<PhotoPreview>;
  /** Previews asked for and not yet begun: over a few, it is better to leave them to the worker. */
  readonly waiting: number;
  /** Starts the children now rather than with the first upload. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

const ENTRY = new URL("photo-child.js", import.meta.url);
/** For the work alone. A header takes milliseconds. */
const PROBE_TIMEOUT_MS = 3000;
const MAX_WAITING_PROBES = 20;
const PREVIEW_TIMEOUT_MS = 20_000;

/**
 * Two children: one for headers, one for previews, so that no upload's answer waits for another
 * one's decode.
 */
export function createPhotoInspector(
  deps: Pick<ChildPoolOptions, "log" | "memoryLimitBytes" | "onFault"> & {
    maxPixels: number;
    acceptHeic?: boolean;
  },
): PhotoInspector {
  const { maxPixels, acceptHeic = true, ...own } = deps;
  const headers = createChildPool({ entry: ENTRY, size: 1, ...own });
  const previews = createChildPool({ entry: ENTRY, size: 1, ...own });
  return {
    async probe(path, { signal } = {}) {
      if (headers.waiting >= MAX_WAITING_PROBES)
        throw new ServiceUnavailableError(
          "Too many uploads are being checked; try again in a moment.",
        );
      return ask(
        headers,
        { kind: "probe", path, maxPixels, acceptHeic },
        { signal, timeoutMs: PROBE_TIMEOUT_MS },
      );
    },
    async preview(path, outputPath, { signal } = {}) {
      const request = { kind: "preview", path, outputPath, maxPixels } as const;
      const made = await ask(previews, request, { signal, timeoutMs: PREVIEW_TIMEOUT_MS });
      return { ...made, byteSize: await sizeOfPlainFile(outputPath) };
    },
    get waiting() {
      return previews.waiting;
    },
    warm: async () => void (await Promise.all([headers.warm(), previews.warm()])),
    close: async () => void (await Promise.all([headers.close(), previews.close()])),
  };
}

async function ask<Request extends PhotoChildRequest>(
  pool: ChildPool,
  request: Request,
  options: { signal: AbortSignal | undefined; timeoutMs: number },
): Promise<PhotoChildResponse[Request["kind"]]> {
  const parse = (answer: unknown) => parsePhotoChildResponse(request.kind, answer);
  return (await pool.run(request, { ...options, parse })) as PhotoChildResponse[Request["kind"]];
}
