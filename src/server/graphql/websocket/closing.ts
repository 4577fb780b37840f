import { CloseCode } from "graphql-ws";
import { setTimeout as pause } from "node:timers/promises";

/** How we close sockets; graphql-ws itself sends more of its `CloseCode`. */
export const CLOSE = {
  goingAway: [1001, "Going away"],
  tryAgainLater: [1013, "Try again later"],
  noSignIn: [CloseCode.ConnectionInitialisationTimeout, "Connection initialisation timeout"],
  invalidMessage: [CloseCode.BadRequest, "Invalid message received"],
  forbidden: [CloseCode.Forbidden, "Forbidden"],
  tooManySockets: [CloseCode.TooManyInitialisationRequests, "Too many sockets"],
  tooManyMessages: [CloseCode.TooManyInitialisationRequests, "Too many messages"],
  internal: [CloseCode.InternalServerError, "Internal server error"],
} as const;

const CONCURRENCY = 100;
const PAUSE_MS = 20;

/**
 * Closes what clients hold open, not all in one moment: they come back somewhere else, and that one
 * has to bear it.
 */
export async function closeInTurns<Held>(
  held: Iterable<Held>,
  close: (one: Held) => void,
): Promise<void> {
  for (const [i, one] of [...held].entries()) {
    if (i > 0 && i % CONCURRENCY === 0) await pause(PAUSE_MS);
    close(one);
  }
}
