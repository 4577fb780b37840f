/** One event as a client was told it. */
export interface ToldEvent {
  cursor: string;
  type: string;
  at: number;
  receivedAt: number;
  /** Which connection of the feed it came by, counted from 1. */
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

export const EVENT_FIELDS =
  "cursor type at queuedJob { id version status progress attempts result error { code } }";

/** As it comes over the socket. */
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

export function toToldEvent(
  { cursor, type, at, queuedJob }: EventFields,
  connection: number,
): ToldEvent {
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
