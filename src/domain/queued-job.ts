import type { GroupMember } from "./job-group.js";
import type { QueuedJobEventType, QueuedJobStatus } from "./queued-job-status.js";

/** An RFC 3339 time in UTC with milliseconds: `2026-11-24T13:26:23.120Z`. */
export type Instant = string;

/** A file that a task made, as rows and events describe it. Its URL is signed when it is sent. */
export interface QueuedJobOutput {
  name: string;
  mimeType: string;
  byteSize: number;
  width: number | null;
  height: number | null;
}

/** An output with its storage key, which never leaves the service. */
export interface StoredOutput extends QueuedJobOutput {
  storageKey: string;
}

/** The result of a task that succeeds. */
export interface TaskSuccess {
  result: unknown;
  outputs: StoredOutput[];
  /** The QueuedJob whose result was reused; null if the task did the work. */
  reusedFrom: string | null;
}

/** One submission of a Job, as its row is now or as it was at an event. */
export interface QueuedJob {
  id: string;
  userId: string;
  jobName: string;
  status: QueuedJobStatus;
  parameters: Record<string, unknown>;
  photoCount: number;
  priority: number;
  runAt: Instant | null;
  /** A number from 0 to 1. */
  progress: number;
  progressMessage: string | null;
  attempts: number;
  result: unknown;
  /** Null if the outputs were not read with the row. */
  outputs: QueuedJobOutput[] | null;
  error: { code: string; message: string } | null;
  version: number;
  createdAt: Instant;
  updatedAt: Instant;
  startedAt: Instant | null;
  finishedAt: Instant | null;
  expiresAt: Instant | null;
  reusedFrom: string | null;
  /** Its place in a group; absent without a group. */
  member?: GroupMember;
}

export function isGrouped({ member }: Pick<QueuedJob, "member">): boolean {
  return member !== undefined;
}

/**
 * A QueuedJob as an event records it. Parameters and a result over 8 kB are left out: the row has
 * them, and neither changes once written.
 */
export type QueuedJobSnapshot = Omit<QueuedJob, LargeField> & Partial<Pick<QueuedJob, LargeField>>;
type LargeField = "parameters" | "result";

/** Completes a snapshot with its parameters, for a QueuedJob that has no result. */
export function withParameters(
  snapshot: QueuedJobSnapshot,
  parameters: QueuedJob["parameters"],
): QueuedJob {
  return snapshot.parameters ? (snapshot as QueuedJob) : { ...snapshot, parameters, result: null };
}

/**
 * One step in the life of a QueuedJob. `seq` numbers a user's logged events; a PROGRESS has the
 * number of its attempt's STARTED.
 */
export interface QueuedJobEvent {
  seq: number;
  type: QueuedJobEventType;
  at: Instant;
  queuedJob: QueuedJobSnapshot;
}

/**
 * The storage key of an output. It contains the attempt: a worker that lost its lease cannot
 * overwrite the winner's output.
 */
export function outputKey(
  { id, userId, attempts }: Pick<QueuedJob, "id" | "userId" | "attempts">,
  name: string,
): string {
  return `outputs/${userId}/${id}/${attempts}/${name}`;
}
