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
}

const EVENT_FIELDS =
  "cursor type at queuedJob { id version status progress attempts result error { code } }";

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
  };
}

export function toReceivedEvent(
  { cursor, type, at, queuedJob }: EventFields,
  connection: number,
): ReceivedEvent {
  const { id, version, status, progress, attempts, result, error } = queuedJob;
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
  };
}
