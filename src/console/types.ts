// The API's types, with the fields that the page selects.

export interface Issue {
  path: (string | number)[];
  message: string;
}

export interface Photo {
  id: string;
  filename: string;
  mimeType: string;
  width: number;
  height: number;
  byteSize: number;
  url: string;
  previewUrl: string | null;
  thumbhash: string | null;
}

export interface Limits {
  maxUnfinished: number;
  unfinished: number;
  maxUploadBytes: number;
  maxStoredBytes: number;
  storedBytes: number;
  maxPhotoPixels: number;
  /** True while an operator has paused this user. */
  paused: boolean;
}

export interface Me {
  name: string;
  email: string;
  role: string;
  limits: Limits;
}

/** One property of a JSON Schema, with the keywords that the form uses. */
export interface PropertySchema {
  type?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  items?: PropertySchema;
}

export interface Job {
  name: string;
  title: string;
  description: string;
  parameterSchema: { properties?: Record<string, PropertySchema>; required?: string[] };
  minPhotos: number;
  maxPhotos: number;
  enabled: boolean;
  paused: boolean;
}

export type Status = "PENDING" | "STARTED" | "SUCCESS" | "FAILED" | "CANCELLED";

export interface JobError {
  code: string;
  message: string;
}

/** Fields of a QueuedJob that events carry. */
export interface QueuedJobState {
  id: string;
  status: Status;
  version: number;
  progress: number;
  progressMessage: string | null;
  attempts: number;
  priority: number;
  createdAt: string;
  updatedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  runAt: string | null;
  job: { name: string; title: string; paused: boolean };
  error: JobError | null;
}

/** Fields of a QueuedJob in the list. */
export interface QueuedJob extends QueuedJobState {
  queuePosition: number | null;
  estimatedStartAt: string | null;
  photos: Photo[];
}

export type EventType =
  "QUEUED" | "STARTED" | "PROGRESS" | "RETRYING" | "SUCCEEDED" | "FAILED" | "CANCELLED" | "DELETED";

export interface QueuedJobEvent {
  cursor: string;
  type: EventType;
  at: string;
  queuedJob: QueuedJobState;
}

export interface OutputFile {
  name: string;
  mimeType: string;
  byteSize: number;
  width: number | null;
  height: number | null;
  url: string;
}

export interface HistoryEvent {
  cursor: string;
  type: EventType;
  at: string;
  queuedJob: { version: number; attempts: number; error: JobError | null };
}

/** All fields of one QueuedJob. */
export interface QueuedJobDetails extends QueuedJob {
  parameters: Record<string, unknown>;
  result: unknown;
  outputs: OutputFile[];
  /** Id of the identical QueuedJob whose result was reused. */
  reusedFrom: string | null;
  expiresAt: string | null;
  history: HistoryEvent[];
}

const FINISHED: readonly Status[] = ["SUCCESS", "FAILED", "CANCELLED"];
export const isFinished = (status: Status): boolean => FINISHED.includes(status);
