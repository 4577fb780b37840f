import { CloseCode } from "graphql-ws";

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
