import type { TaskOutput, TaskPhoto } from "../../tasks/define-task.js";

/** One attempt of a task, as the worker sends it to a child. */
export interface TaskChildRequest {
  /** Name of the task in the catalogue. */
  task: string;
  /** Absolute path of the folder of a task outside this repository. */
  taskFolder?: string;
  /** Validated parameters with defaults, because a child has no schemas. */
  parameters: unknown;
  photos: TaskPhoto[];
  attempt: number;
  failures: number;
  /** Absolute path of an empty folder of this attempt, for the outputs under their own names. */
  folder: string;
  /** Maximum pixels of a photo; half of it for AVIF and HEIC. */
  maxPixels: number;
}

/** The names of outputs, which become file names and ends of storage keys. */
export const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Message to the user when the disk for temporary files is full. */
export const NO_ROOM =
  "The worker has too little disk space for the files of this QueuedJob; try again later.";

export interface TaskChildResponse {
  /** The result of the task, not validated yet. */
  result: unknown;
  /** The outputs in the order made; each is the file `name` in the folder. */
  outputs: TaskOutput[];
}
