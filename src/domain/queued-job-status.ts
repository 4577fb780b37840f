// Six words, never mixed.
//   User        a person, named by a token's issuer and subject
//   Job         a kind of work that can be submitted: a row of the catalogue
//   Task        the code that does it
//   QueuedJob   one submission of a Job, its state and its result: the row
//   queue job   BullMQ's record of it: a hint that the row is due; may be lost, repeated or late
//   event       one step in a QueuedJob's life, recorded with the step and sent to its owner
// Only this file defines the names of states and steps, and which steps are allowed.

export const QUEUED_JOB_STATUSES = [
  "PENDING",
  "STARTED",
  "SUCCESS",
  "FAILED",
  "CANCELLED",
] as const;
export type QueuedJobStatus = (typeof QUEUED_JOB_STATUSES)[number];

/** Types of logged events. PROGRESS is published but not logged. */
export const LOGGED_EVENT_TYPES = [
  "QUEUED",
  "STARTED",
  "RETRYING",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "DELETED",
] as const;
export type LoggedEventType = (typeof LOGGED_EVENT_TYPES)[number];
export type QueuedJobEventType = LoggedEventType | "PROGRESS";

export const UNFINISHED_STATUSES = [
  "PENDING",
  "STARTED",
] as const satisfies readonly QueuedJobStatus[];
export const FINISHED_STATUSES = [
  "SUCCESS",
  "FAILED",
  "CANCELLED",
] as const satisfies readonly QueuedJobStatus[];

/**
 * A step: the allowed sources, the status it enters, and its event. `to` is null when the row is
 * deleted. Each event leads to exactly one status.
 */
export interface Transition {
  from: readonly QueuedJobStatus[];
  to: QueuedJobStatus | null;
  event: LoggedEventType;
  /** Change to the queue after the step is recorded; the same for all steps with this event. */
  hint: "add" | "remove" | null;
}

export const TRANSITIONS = {
  enqueue: { from: [], to: "PENDING", event: "QUEUED", hint: "add" },
  claim: { from: ["PENDING"], to: "STARTED", event: "STARTED", hint: null },
  succeed: { from: ["STARTED"], to: "SUCCESS", event: "SUCCEEDED", hint: null },
  fail: { from: ["STARTED"], to: "FAILED", event: "FAILED", hint: null },
  backOff: { from: ["STARTED"], to: "PENDING", event: "RETRYING", hint: "add" },
  cancel: { from: UNFINISHED_STATUSES, to: "CANCELLED", event: "CANCELLED", hint: "remove" },
  retry: { from: ["FAILED", "CANCELLED"], to: "PENDING", event: "QUEUED", hint: "add" },
  delete: { from: FINISHED_STATUSES, to: null, event: "DELETED", hint: null },
} as const satisfies Record<string, Transition>;

export function isFinished(status: QueuedJobStatus): boolean {
  return (FINISHED_STATUSES as readonly QueuedJobStatus[]).includes(status);
}

/** True if a stream of one QueuedJob ends with this event. */
export function endsStream(type: QueuedJobEventType): boolean {
  return type === "SUCCEEDED" || type === "FAILED" || type === "CANCELLED" || type === "DELETED";
}

/** Why a member of a group is cancelled without a request for it alone. */
export const CANCEL_REASONS = ["PREDECESSOR", "OWNER"] as const;
