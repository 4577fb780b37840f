import { ServiceUnavailableError } from "../../domain/errors.js";
import { ChildStoppedError } from "../../child-pool/exit-reason.js";
import {
  createChildPool,
  type ChildPool,
  type ChildPoolOptions,
} from "../../child-pool/child-pool.js";
import type { RunOptions } from "../../child-pool/child-work.js";
import type {
  PhotoChildRequest,
  PhotoChildResponse,
  PhotoPreview,
  PhotoProbe,
} from "./photo-child-request.js";
import { parsePhotoChildResponse, sizeOfPlainFile } from "./photo-child-response.js";

/**
 * Inspects uploaded files for the API in child processes: the API process itself decodes no pixels.
 */
export interface PhotoInspector {
  /**
   * Reads the header and the tags. Throws PhotoUnreadableError and PhotoTooLargeError;
   * ServiceUnavailableError when too many files are waiting; ChildStoppedError when the child died
   * at the header or `signal` was aborted before it. `signal` limits waiting and work together.
   */
  probe(path: string, options?: { signal?: AbortSignal }): Promise<PhotoProbe>;
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
  /**
   * Starts the child for headers, for which an upload waits. That for previews starts with the
   * first preview, and takes 20 MB less until then.
   */
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
      const request = { kind: "probe", path, maxPixels, acceptHeic } as const;
      const known: { header?: unknown } = {};
      try {
        return await ask(headers, request, {
          signal,
          timeoutMs: PROBE_TIMEOUT_MS,
          onAsk: async (_name, header) => void (known.header = header),
        });
      } catch (error) {
        const isStopped = error instanceof ChildStoppedError && error.reason !== "closed";
        if (!isStopped || typeof known.header !== "object") throw error;
        return parsePhotoChildResponse("probe", { ...known.header, facts: null });
      }
    },
    async preview(path, outputPath, { signal } = {}) {
      const request = { kind: "preview", path, outputPath, maxPixels } as const;
      const preview = await ask(previews, request, { signal, timeoutMs: PREVIEW_TIMEOUT_MS });
      return { ...preview, byteSize: await sizeOfPlainFile(outputPath) };
    },
    get waiting() {
      return previews.waiting;
    },
    warm: headers.warm,
    close: async () => void (await Promise.all([headers.close(), previews.close()])),
  };
}

async function ask<Request extends PhotoChildRequest>(
  pool: ChildPool,
  request: Request,
  options: Omit<RunOptions, "parse">,
): Promise<PhotoChildResponse[Request["kind"]]> {
  const parse = (answer: unknown) => parsePhotoChildResponse(request.kind, answer);
  return (await pool.run(request, { ...options, parse })) as PhotoChildResponse[Request["kind"]];
}
