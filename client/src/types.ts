import type { JobName, Jobs } from "./generated/jobs.js";

export type QueuedJobStatus = "PENDING" | "STARTED" | "SUCCESS" | "FAILED" | "CANCELLED";

export type QueuedJobEventType =
  "QUEUED" | "STARTED" | "PROGRESS" | "RETRYING" | "SUCCEEDED" | "FAILED" | "CANCELLED" | "DELETED";

/** A photo of a QueuedJob. All URLs are absolute and signed. */
export interface JobPhoto {
  id: string;
  filename: string;
  mimeType: string;
  width: number;
  height: number;
  byteSize: number;
  /** SHA-256 of the bytes, in hex. */
  sha256: string;
  createdAt: string;
  url: string;
  /** A small upright WebP; null when it could not be made. */
  previewUrl: string | null;
  /** When the URLs expire; a later read returns new ones. */
  urlExpiresAt: string;
  /** ThumbHash of the picture in base64; null when it could not be made. */
  thumbhash: string | null;
}

/** An uploaded picture, with what its file says about it. */
export interface Photo extends JobPhoto {
  /** Wall-clock time of the camera without a zone: `2024-05-06T07:08:09`. */
  takenAt: string | null;
  /** Offset of that clock from UTC, such as `+02:00`. */
  takenAtOffset: string | null;
  /** Degrees, north and east positive, and metres. */
  location: { latitude: number; longitude: number; altitude: number | null } | null;
  /** Make and model in one text. */
  camera: string | null;
  lens: string | null;
  /** Why the picture could not be decoded; null when it could. */
  damaged: string | null;
  /** Id of the QueuedJob whose output it was, which may be gone; null for an upload. */
  madeBy: string | null;
}

/** A file that a task made. */
export interface OutputFile {
  name: string;
  mimeType: string;
  byteSize: number;
  width: number | null;
  height: number | null;
  /** Absolute, signed URL. */
  url: string;
  /** When the URL expires; a later read returns a new one. */
  urlExpiresAt: string;
}

/** Why the last attempt of a QueuedJob failed. */
export interface JobError {
  code: string;
  message: string;
}

/** One submission of a Job. */
export interface QueuedJob<Name extends JobName = JobName> {
  id: string;
  /** Grows by one with each transition. */
  version: number;
  status: QueuedJobStatus;
  job: { name: Name; title: string };
  parameters: Jobs[Name]["parameters"];
  photos: readonly JobPhoto[];
  priority: number;
  runAt: string | null;
  /** 0 to 1. */
  progress: number;
  progressMessage: string | null;
  /** Number of attempts started so far. */
  attempts: number;
  /** Null until SUCCESS. */
  result: Jobs[Name]["result"] | null;
  /** Empty until SUCCESS. */
  outputs: readonly OutputFile[];
  error: JobError | null;
  createdAt: string;
  updatedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  expiresAt: string | null;
}

/** One step in the life of a QueuedJob. */
export interface QueuedJobEvent<Name extends JobName = JobName> {
  /** A position in the stream of the user's events. */
  cursor: string;
  type: QueuedJobEventType;
  at: string;
  /** The QueuedJob as it was at this step. */
  queuedJob: QueuedJob<Name>;
}

/** The fields of a QueuedJob that events carry. */
export type QueuedJobState = Omit<QueuedJob, "parameters" | "photos">;

export interface SentEvent {
  cursor: string;
  type: QueuedJobEventType;
  at: string;
  queuedJob: QueuedJobState;
}

export interface SentPhotoEvent {
  cursor: string;
  type: "ADDED" | "PREVIEWED" | "CHANGED" | "DELETED";
  photo: Photo;
}

export interface Page<Node> {
  nodes: Node[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export function isFinished({ status }: { status: QueuedJobStatus }): boolean {
  return status !== "PENDING" && status !== "STARTED";
}

/** Narrows a QueuedJob to one Job, and so the types of its result and parameters. */
export function isJob<Name extends JobName>(
  queuedJob: QueuedJob,
  name: Name,
): queuedJob is QueuedJob<Name> {
  return queuedJob.job.name === name;
}
