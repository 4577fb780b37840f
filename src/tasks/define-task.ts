import type { z } from "zod";

/** A photo as a task receives it: a file on this machine and the data of its row. */
export interface TaskPhoto {
  id: string;
  /** Absolute path of the bytes; read-only to the task. Empty if the task `copiesPhotos`. */
  path: string;
  filename: string;
  mimeType: string;
  /** Width and height of the upright picture. */
  width: number;
  height: number;
  byteSize: number;
  sha256: string;
  /**
   * The stored perceptual hash as 16 hex digits, which other searches use. Null when the photo is
   * flat or has not been inspected yet.
   */
  phash: string | null;
  /** Time of the upload (RFC 3339). */
  createdAt: string;
}

export interface TaskOutput {
  name: string;
  mimeType: string;
  byteSize: number;
  width: number | null;
  height: number | null;
}

/** A photo that looks similar to another one. */
export interface NearPhoto {
  photoId: string;
  /** Number of bits in which their perceptual hashes differ; 0 to 64. */
  distance: number;
}

export interface NearPhotoList {
  /** Nearest first; the older photo first at equal distance. */
  photos: NearPhoto[];
  /** True when more photos exist than are listed. */
  cut: boolean;
}

export interface TaskContext<Parameters> {
  /** Validated parameters, with defaults. */
  parameters: Parameters;
  photos: TaskPhoto[];
  /** Number of attempts started so far, including this one. */
  attempt: number;
  /** Number of failed attempts since the last submission or retry. */
  failures: number;
  /** Aborted on cancellation, timeout and shutdown. */
  signal: AbortSignal;
  /** `fraction` is between 0 and 1. Frequent calls are cheap: they are coalesced. */
  progress(fraction: number, message?: string): void;
  /**
   * Returns the path of a photo for a task that `copiesPhotos`. The path is valid until the next
   * call. Photos are fetched ahead in their order, so this is also the order to ask in.
   */
  fetchPhoto(photo: TaskPhoto): Promise<string>;
  /** Writes a file of this attempt and declares it as an output. A stream is written in pieces. */
  output(file: {
    name: string;
    mimeType: string;
    width?: number;
    height?: number;
    data: Uint8Array | AsyncIterable<Uint8Array>;
  }): Promise<TaskOutput>;
  /** Searches the other photos of the QueuedJob's owner. `phash` has 16 hex digits. */
  findNearPhotos(query: { phash: string; maxDistance: number }): Promise<NearPhotoList>;
  /** Maximum pixels of a photo (half of this for AVIF and HEIC); default 100 million. */
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
   * `child`: runs in a child process that can be killed, one task at a time, because it decodes
   * pixels. `worker`: runs with others in the worker process.
   */
  runsIn: "worker" | "child";
  /**
   * True if the outputs are as large as all photos together. The room for them is checked first,
   * and the photos are fetched one after the other (`fetchPhoto`).
   */
  copiesPhotos?: boolean;
  /**
   * Returns the number of pictures among the outputs. In a group, they can be the photos of other
   * QueuedJobs. Absent if there are none.
   */
  countPictures?(parameters: z.output<Parameters>): number;
  /**
   * Increase it when the same input gives a different result than before: results of an earlier
   * version are not reused. Default: 1. Null means that the result depends on more than the input,
   * so it is never reused.
   */
  resultVersion?: number | null;
  /** Absolute path of the folder of a task outside this repository; the loader sets it. */
  folder?: string;
  /**
   * Loads the work; called only in the process that runs it. `run` returns the result or throws.
   * The attempt is tried again, except after PermanentTaskError. These are methods so that the
   * catalogue can hold tasks of all parameter types.
   */
  load(): Promise<{ run(context: TaskContext<z.output<Parameters>>): Promise<z.input<Result>> }>;
}

/**
 * Returns the task unchanged. The compiler checks that `run` accepts the `parameters` and returns
 * the `result` of the schemas.
 */
export function defineTask<
  const Name extends string,
  Parameters extends z.ZodType,
  Result extends z.ZodType,
>(task: Task<Parameters, Result> & { name: Name }): Task<Parameters, Result> & { name: Name } {
  return task;
}
