/** Why an attempt is told to stop; the reason of its AbortSignal. */
export type StopReason = "timeout" | "lost" | "shutdown";

/** The reason as it stands in an AbortSignal. */
export class StopError extends Error {
  constructor(readonly reason: StopReason) {
    super(`The attempt is to stop: ${reason}`);
    this.name = "StopError";
  }
}

/** Null while it is to go on. */
export function stopReasonOf({ reason }: AbortSignal): StopReason | null {
  return reason instanceof StopError ? reason.reason : null;
}
