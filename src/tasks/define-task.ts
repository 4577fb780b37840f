import { z } from "zod";

/** A photo as a task sees it: a file on this machine and what its row says. */
export interface TaskPhoto {
  id: string;
  /** Absolute path of the bytes; read-only to the task. */
  path: string;
  filename: string;
  mimeType: string;
  /** Of the upright picture. */
  width: number;
  height: number;
  byteSize: number;
  sha256: string;
  /**
   * The perceptual hash as 16 hex digits, by which it is found among its owner's; null when it is
   * flat or was not looked at yet.
   */
  phash: string | null;
}

/** A file that a task made. */
export interface TaskOutput {
  name: string;
  mimeType: string;
  byteSize: number;
  width: number | null;
  height: number | null;
}

/** A photo that looks like another one. */
export interface NearPhoto {
  photoId: string;
  /** Bits in which their perceptual hashes differ; 0 to 64. */
  distance: number;
}

export interface NearPhotoList {
  /** Nearest first; of equally near ones the oldest first. */
  photos: NearPhoto[];
  /** There are more than are listed. */
  cut: boolean;
}

export interface TaskContext<Parameters> {
  /** Validated, with defaults. */
  parameters: Parameters;
  photos: TaskPhoto[];
  /** Attempts started so far, this one included. */
  attempt: number;
  /** Failed attempts since the last submission or retry. */
  failures: number;
  /** Aborted on cancel, time-out and shutdown. */
  signal: AbortSignal;
  /** `fraction` 0 to 1; may be called as often as one likes, it is coalesced. */
  progress(fraction: number, message?: string): void;
  /** Writes a file of this attempt and declares it as an output. */
  output(file: {
    name: string;
    mimeType: string;
    width?: number;
    height?: number;
    data: Uint8Array;
  }): Promise<TaskOutput>;
  /** Among the other photos of the QueuedJob's owner. `phash`: 16 hex digits. */
  findNearPhotos(query: { phash: string; maxDistance: number }): Promise<NearPhotoList>;
  /** Pixels that a photo may have (half of it for AVIF and HEIC); 100 million when absent. */
  maxPixels?: number;
}

export interface Task<
  Parameters extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  /** Stable slug; the name of the Job. */
  name: string;
  title: string;
  description: string;
  parameters: Parameters;
  result: Result;
  minPhotos: number;
  maxPhotos: number;
  maxAttempts: number;
  timeoutMs: number;
  /**
   * `child`: in a killable child process, one at a time in each, because it decodes pixels.
   * `worker`: beside the others in the worker itself.
   */
  runsIn: "worker" | "child";
  /**
   * Raised when the same parameters on the same photos give another result than before: results of
   * an earlier version are not reused. 1 when absent; null: the result depends on more than these,
   * and is never reused.
   */
  resultVersion?: number | null;
  /**
   * Loads the work; called only where it is done. `run` returns the result, throws (it is tried
   * again), or throws PermanentTaskError (it is not). Written as methods so that the catalogue can
   * hold tasks of all parameters.
   */
  load(): Promise<{ run(context: TaskContext<z.output<Parameters>>): Promise<z.input<Result>> }>;
}

/**
 * A task as declared; the compiler checks that `run` takes what `parameters` gives and returns what
 * `result` describes.
 */
export function defineTask<
  const Name extends string,
  Parameters extends z.ZodType,
  Result extends z.ZodType,
>(task: Task<Parameters, Result> & { name: Name }): Task<Parameters, Result> & { name: Name } {
  return task;
}

/** What any result about a photo may carry. */
export const warnings = z
  .array(z.string())
  .optional()
  .describe(
    "What to know of how the photo was read, e.g. that it is the first frame of an animation.",
  );
