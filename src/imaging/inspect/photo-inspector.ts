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
 * Inspects uploaded files for the API in child processes: the API process itself decodes no pixels.
 */
export interface PhotoInspector {
  /**
   * Reads the header. Throws PhotoUnreadableError and PhotoTooLargeError; ServiceUnavailableError
   * when too many files are waiting; ChildStoppedError when the child died or `signal` was aborted.
   * `signal` limits waiting and work together.
   */
  probe(path: string, options?: { signal?: AbortSignal }): Promise<PhotoHeader>;
  /**
   * Writes an upright WebP of at most 512 pixels to `outputPath` and returns its properties.
   * `signal` limits waiting and work together. When it is aborted, ChildStoppedError is thrown and
   * the file at `outputPath` is not usable.
   */
  preview(
    path: string,
    outputPath: string,
    options?: { signal?: AbortSignal },
  ): Promise<PhotoPreview>;
  /**
   * Number of previews that have not started. When there are several, leave a preview to the
   * worker.
   */
  readonly waiting: number;
  /** Starts the children now instead of with the first upload. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

const ENTRY = new URL("photo-child.js", import.meta.url);
/** Time limit without the time in the queue. Reading a header takes milliseconds. */
const PROBE_TIMEOUT_MS = 3000;
const MAX_WAITING_PROBES = 20;
const PREVIEW_TIMEOUT_MS = 20_000;

/**
 * Uses two children, one for headers and one for previews, so that no upload waits for the decode
 * of another.
 */
export function createPhotoInspector(
  deps: Pick<ChildPoolOptions, "log" | "memoryLimitBytes" | "onFault"> & {
    maxPixels: number;
    acceptHeic?: boolean;
  },
): PhotoInspector {
  const { maxPixels, acceptHeic = true, ...poolOptions } = deps;
  const headers = createChildPool({ entry: ENTRY, size: 1, ...poolOptions });
  const previews = createChildPool({ entry: ENTRY, size: 1, ...poolOptions });
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
      const preview = await ask(previews, request, { signal, timeoutMs: PREVIEW_TIMEOUT_MS });
      return { ...preview, byteSize: await sizeOfPlainFile(outputPath) };
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
