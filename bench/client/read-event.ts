/** The fields of an event that the bench reads. */
export interface JobState {
  id: string;
  status: string;
}

let lastMessage = "";
let lastEvent: JobState = { id: "", status: "" };

/**
 * Parses the event in a message. It caches the last one, because in a fan-out the same text
 * arrives a thousand times in a row.
 */
export function readEvent(message: string): JobState {
  if (message === lastMessage) return lastEvent;
  const { payload } = JSON.parse(message) as {
    payload: { data?: { queuedJobEvents: { queuedJob: JobState } } | null; errors?: unknown };
  };
  if (!payload.data) throw new Error(`a subscription returned an error: ${message}`);
  lastMessage = message;
  lastEvent = payload.data.queuedJobEvents.queuedJob;
  return lastEvent;
}

export function isFinished({ status }: JobState): boolean {
  return status === "SUCCESS" || status === "FAILED";
}
