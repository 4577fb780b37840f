import type { QueuedJobEventType, QueuedJobStatus } from "./queued-job-status.js";

/** RFC 3339 in UTC with milliseconds: `2026-11-24T13:26:23.120Z`. */
export type Instant = string;

/**
 * A file that a task made, as its row and the events tell it; the URL is signed when it is told.
 */
export interface QueuedJobOutput {
  name: string;
  mimeType: string;
  byteSize: number;
  width: number | null;
  height: number | null;
}

/** An output with the key of its bytes, which is told to nobody. */
export interface StoredOutput extends QueuedJobOutput {
  storageKey: string;
}

/** What a task has come to when it succeeds. */
export interface TaskSuccess {
  result: unknown;
  outputs: StoredOutput[];
  /** The QueuedJob whose result it is; null where the work was done. */
  reusedFrom: string | null;
}

/** One submission of a Job: as its row is now, or as it was at an event. */
export interface QueuedJob {
  id: string;
  userId: string;
  jobName: string;
  status: QueuedJobStatus;
  parameters: Record<string, unknown>;
  photoCount: number;
  priority: number;
  runAt: Instant | null;
  /** 0 to 1. */
  progress: number;
  progressMessage: string | null;
  attempts: number;
  result: unknown;
  /** Null: not read along with the row. */
  outputs: QueuedJobOutput[] | null;
  error: { code: string; message: string } | null;
  version: number;
  createdAt: Instant;
  updatedAt: Instant;
  startedAt: Instant | null;
  finishedAt: Instant | null;
  expiresAt: Instant | null;
  reusedFrom: string | null;
}

/**
 * A QueuedJob as an event records it. Parameters and a result over 8 kB are left out: the row has
 * them as long as it exists, since neither changes once it is written.
 */
export type QueuedJobSnapshot = Omit<QueuedJob, LargeField> & Partial<Pick<QueuedJob, LargeField>>;
type LargeField = "parameters" | "result";

/** A snapshot with what it left out; for a QueuedJob that has no result. */
export function withParameters(
  snapshot: QueuedJobSnapshot,
  parameters: QueuedJob["parameters"],
): QueuedJob {
  return snapshot.parameters ? (snapshot as QueuedJob) : { ...snapshot, parameters, result: null };
}

/**
 * One step in the life of a QueuedJob. `seq` numbers a user's logged events; a PROGRESS has that of
 * its attempt's STARTED.
 */
export interface QueuedJobEvent {
  seq: number;
  type: QueuedJobEventType;
  at: Instant;
  queuedJob: QueuedJobSnapshot;
}

/**
 * Where the storage keeps an output: under a key of the attempt, so that one that was thought dead
 * cannot overwrite the winner's.
 */
export function outputKey(
  { id, userId, attempts }: Pick<QueuedJob, "id" | "userId" | "attempts">,
  name: string,
): string {
  return `outputs/${userId}/${id}/${attempts}/${name}`;
}
