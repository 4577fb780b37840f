import { CloseCode } from "graphql-ws";
import { setTimeout as pause } from "node:timers/promises";

/** The close codes and reasons that we send; graphql-ws itself sends more of its `CloseCode`. */
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

const BATCH_SIZE = 100;
const PAUSE_MS = 20;

/** Closes connections in batches, since their clients reconnect to another process at once. */
export async function closeInTurns<Held>(
  held: Iterable<Held>,
  close: (connection: Held) => void,
): Promise<void> {
  for (const [i, connection] of [...held].entries()) {
    if (i > 0 && i % BATCH_SIZE === 0) await pause(PAUSE_MS);
    close(connection);
  }
}
