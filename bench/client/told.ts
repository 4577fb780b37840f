/** One event as a subscription told it. */
export interface Told {
  id: string;
  status: string;
}

let lastMessage = "";
let lastTold: Told = { id: "", status: "" };

/**
 * The event in a message. In a fan-out the same text comes a thousand times in a row, so the last
 * one is remembered.
 */
export function readTold(message: string): Told {
  if (message === lastMessage) return lastTold;
  const { payload } = JSON.parse(message) as {
    payload: { data?: { queuedJobEvents: { queuedJob: Told } } | null; errors?: unknown };
  };
  if (!payload.data) throw new Error(`a subscription told an error: ${message}`);
  lastMessage = message;
  lastTold = payload.data.queuedJobEvents.queuedJob;
  return lastTold;
}

export function isFinished({ status }: Told): boolean {
  return status === "SUCCESS" || status === "FAILED";
}
