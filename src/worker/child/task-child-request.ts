import type { TaskOutput, TaskPhoto } from "../../tasks/define-task.js";

/** One attempt of a task, as the worker hands it to a child. */
export interface TaskChildRequest {
  /** Name in the catalogue. */
  task: string;
  /** Checked, with defaults: a child knows no schemas. */
  parameters: unknown;
  photos: TaskPhoto[];
  attempt: number;
  failures: number;
  /**
   * Absolute path of an empty folder of this attempt; the outputs are written there under their own
   * names.
   */
  folder: string;
  /** Pixels a photo may have; half of it for AVIF and HEIC. */
  maxPixels: number;
}

/** Of an output: it lies in the folder, and its key in the storage ends with it. */
export const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export interface TaskChildResponse {
  /** As the task returned it; still to be checked. */
  result: unknown;
  /** In the order made; each is the file `name` in the folder. */
  outputs: TaskOutput[];
}
