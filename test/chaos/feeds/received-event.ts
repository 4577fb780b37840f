import { countsText, type Counts } from "./counts-text.js";

/** One event as a client received it. */
export interface ReceivedEvent {
  cursor: string;
  type: string;
  at: number;
  receivedAt: number;
  /** Number of the feed's connection that delivered the event, from 1. */
  connection: number;
  jobId: string;
  version: number;
  status: string;
  progress: number;
  attempts: number;
  /** `result.attempt` of an echo. */
  resultAttempt: number | null;
  errorCode: string | null;
  groupId: string | null;
  /** The counts of its group, in the form of `countsText`. */
  counts: string | null;
}

const EVENT_FIELDS =
  "cursor type at queuedJob { id version status progress attempts result error { code } " +
  "group { id total pending started succeeded failed cancelled finishedAt } }";

/** The subscriptions of a recorder. Events of photos have only the id, under the same name. */
export const STREAMS = {
  jobs: `subscription ($after: String!) { event: queuedJobEvents(after: $after) { ${EVENT_FIELDS} } }`,
  jobsWithoutProgress:
    "subscription ($after: String!) { event: queuedJobEvents(after: $after, includeProgress: false) " +
    `{ ${EVENT_FIELDS} } }`,
  photos:
    "subscription ($after: String!) { event: photoEvents(after: $after) { cursor type at " +
    "queuedJob: photo { id } } }",
} as const;

/** An event in the format of the API. */
export interface EventFields {
  cursor: string;
  type: string;
  at: string;
  queuedJob: {
    id: string;
    version: number;
    status: string;
    progress: number;
    attempts: number;
    result: { attempt?: number } | null;
    error: { code: string } | null;
    group: (Counts & { id: string }) | null;
  };
}

export function toReceivedEvent(
  { cursor, type, at, queuedJob }: EventFields,
  connection: number,
): ReceivedEvent {
  const { id, version, status, progress, attempts, result, error, group } = queuedJob;
  return {
    cursor,
    type,
    at: Date.parse(at),
    receivedAt: Date.now(),
    connection,
    jobId: id,
    version,
    status,
    progress,
    attempts,
    resultAttempt: result?.attempt ?? null,
    errorCode: error?.code ?? null,
    groupId: group?.id ?? null,
    counts: group ? countsText(group) : null,
  };
}
