// Implements graphql-transport-ws on a socket. Apollo is not involved, so this file applies the
// checks, the limits and the masking of errors again, with the same functions. Opening and closing
// of sockets is in `graphql-sockets.ts`.
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
} from "graphql";
import { makeServer, type Context as SocketContext, type Server as Protocol } from "graphql-ws";
import type { WebSocket } from "ws";
import { QuotaExceededError, UnauthenticatedError } from "../../../domain/errors.js";
import type { Subscription } from "../../../events/subscription.js";
import type { Context } from "../../../graphql/context.js";
import { isInternal } from "../../../graphql/format-error.js";
import type { Logger } from "../../../runtime/logger.js";
import { asGraphQLError, type ErrorReporter } from "../errors.js";
import type { Authenticator, Session } from "../../access/authenticator.js";
import { CLOSE } from "./closing.js";
import { executeInTime } from "../execute.js";
import type { OperationCompiler } from "../operation-compiler.js";
import type { OperationRequest, Operations } from "../operations.js";
import type { RateLimits } from "../../access/rate-limits.js";
import { newRequestId } from "../../http/request-log.js";
import { createFanOutCache, type FanOutCache } from "./fan-out-cache.js";
import { SocketStream } from "./socket-stream.js";
import type { SocketWriter } from "./socket-writer.js";
import type { UserConnections } from "../../access/user-connections.js";

export interface SocketProtocolOptions {
  operations: Operations;
  reporter: ErrorReporter;
  compiled: OperationCompiler;
  authenticator: Authenticator;
  connections: UserConnections;
  rateLimits: RateLimits;
  /** Timeout for a query or a mutation. */
  operationMs: number;
  subscriptionsPerSocket: number;
}

/** The client of a socket. */
export interface Peer {
  socket: WebSocket;
  writer: SocketWriter;
  address: string;
  /** Lazy, since most sockets log nothing. */
  log: () => Logger;
  close(code: number, reason?: string): void;
  /** Call when its sign-in starts. */
  onSignIn(): void;
  /** Undefined until the client has signed in. */
  session?: Session;
}

type PeerContext = SocketContext<Record<string, unknown>, Peer>;

const INIT_TIMEOUT_MS = 5000;

export function createSocketProtocol(options: SocketProtocolOptions): Protocol<Peer> {
  const { reporter, operationMs } = options;
  const results = createFanOutCache(options.compiled, (errors, { contextValue }) =>
    reporter.report(errors, (contextValue as Context).log),
  );

  return makeServer<Record<string, unknown>, Peer>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    execute: (args) => executeInTime(args, operationMs),
    // Every subscription is a stream of feed events; `sendEvents` sends them.
    subscribe: createSourceEventStream as (
      args: ExecutionArgs,
    ) => Promise<AsyncIterableIterator<never> | ExecutionResult>,
    onOperation: ({ extra }, id, payload, args, source) =>
      "take" in source
        ? sendEvents(results, extra, { id, payload, args }, source as unknown as Subscription)
        : undefined,
    onConnect: (context) => admit(context, options),
    onSubscribe: (context, id, payload) => prepare(context, { id, payload }, options),
    onNext: (_context, _id, _payload, args, result) =>
      result.errors
        ? ({
            ...result,
            errors: reporter.report(result.errors, (args.contextValue as Context).log),
          } as FormattedExecutionResult)
        : undefined,
    onError: (context, _id, _payload, errors) => reporter.report(errors, context.extra.log),
  });
}

/** Returns false to close with 4403. */
async function admit(
  context: PeerContext,
  { authenticator, connections }: SocketProtocolOptions,
): Promise<boolean> {
  const { connectionParams, extra } = context;
  // Remove the token: the library keeps the parameters while the socket is open.
  Object.assign(context, { connectionParams: undefined });
  extra.onSignIn();
  try {
    const session = await authenticator.fromPayload(connectionParams, extra.address);
    return register(extra, session, connections);
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) extra.close(...CLOSE.tryAgainLater);
    if (isInternal(error)) extra.log().error({ err: error }, "a socket could not be authenticated");
    return false;
  }
}

function register(peer: Peer, session: Session, connections: UserConnections): boolean {
  const { socket } = peer;
  // The socket closed while its token was verified, so no "close" event would remove it again.
  if (socket.readyState !== socket.OPEN) return false;
  const leave = connections.add(session, () => socket.close(...CLOSE.forbidden));
  if (!leave) {
    peer.close(...CLOSE.tooManySockets);
    return false;
  }
  socket.on("close", leave);
  peer.session = session;
  return true;
}

/** Returns the errors of an operation, so that they never close the socket. */
async function prepare(
  { extra: { session, log }, subscriptions }: PeerContext,
  { id, payload }: { id: string; payload: OperationRequest },
  { operations, rateLimits, subscriptionsPerSocket }: SocketProtocolOptions,
) {
  if (!session) throw new Error("An operation arrived on a socket without a session");
  if (Object.keys(subscriptions).length > subscriptionsPerSocket)
    return [
      asGraphQLError(
        new QuotaExceededError(
          `Too many subscriptions: at most ${subscriptionsPerSocket} per socket.`,
          1000,
        ),
      ),
    ];
  try {
    await rateLimits.takeOfUser(session.user.id);
  } catch (error) {
    return [asGraphQLError(error)];
  }
  const requestId = newRequestId();
  return operations.prepare(session, payload, {
    requestId,
    log: () => log().child({ operationId: id, requestId, userId: session.user.id }),
  });
}

function sendEvents(
  results: FanOutCache,
  { writer }: Peer,
  { id, payload, args }: { id: string; payload: OperationRequest; args: ExecutionArgs },
  subscription: Subscription,
): AsyncIterableIterator<never> {
  const result = results.join(args);
  // Free the context and the document text, which graphql-ws would keep while the stream is open.
  args.contextValue = null;
  payload.query = "";
  return new SocketStream({ id, subscription, result, writer });
}
