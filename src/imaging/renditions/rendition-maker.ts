import { createChildPool, type ChildPoolOptions } from "../../child-pool/child-pool.js";
import { sizeOfPlainFile } from "../inspect/photo-child-response.js";
import type { RenditionRequest } from "./rendition-request.js";

/** Makes renditions in child processes, which leave the processor to uploads and previews. */
export interface RenditionMaker {
  /**
   * Writes a rendition to its path. Throws PhotoUnreadableError and PhotoTooLargeError;
   * ChildStoppedError when the child died; ServiceUnavailableError when none can be started.
   */
  make(request: Omit<RenditionRequest, "maxPixels">): Promise<void>;
  /** Starts the children now instead of with the first request. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

const ENTRY = new URL("rendition-child.js", import.meta.url);
/** Time limit without the time in the queue. The slowest photos and formats take 10 s. */
const TIMEOUT_MS = 30_000;
const NICENESS = 5;

export function createRenditionMaker(
  deps: Pick<ChildPoolOptions, "log" | "memoryLimitBytes" | "onFault"> & {
    children: number;
    maxPixels: number;
  },
): RenditionMaker {
  const { children, maxPixels, ...options } = deps;
  const pool = createChildPool({ entry: ENTRY, size: children, niceness: NICENESS, ...options });
  return {
    async make(request) {
      await pool.run({ ...request, maxPixels }, { timeoutMs: TIMEOUT_MS, parse: parseAnswer });
      await sizeOfPlainFile(request.outputPath);
    },
    warm: pool.warm,
    close: pool.close,
  };
}

/** Throws when the answer is not the expected one. */
function parseAnswer(answer: unknown): null {
  if (answer !== null && answer !== undefined)
    throw new Error("The child answered with a value, but it must only write a file.");
  return null;
}
