// What is said on a socket: graphql-transport-ws. Nothing of Apollo reaches here, so the checks,
// the limits and the masking of errors are put in place again, from the same pieces. How a socket
// opens and closes is `graphql-sockets.ts`.
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
  /** Until a query or a mutation is answered. */
  operationMs: number;
  subscriptionsPerSocket: number;
}

/** Who is at the other end. */
export interface Peer {
  socket: WebSocket;
  writer: SocketWriter;
  address: string;
  /** Made when there is something to say: of most sockets there never is. */
  log: () => Logger;
  close(code: number, reason?: string): void;
  /** Its sign-in is under way. */
  onSignIn(): void;
  /** Since they have signed in. */
  session?: Session;
}

type PeerContext = SocketContext<Record<string, unknown>, Peer>;

const INIT_TIMEOUT_MS = 5000;

export function createSocketProtocol(options: SocketProtocolOptions): Protocol<Peer> {
  const { reporter, operationMs } = options;
  const results = createFanOutCache(options.compiled, (errors, { contextValue }) =>
    reporter.tell(errors, (contextValue as Context).log),
  );

  return makeServer<Record<string, unknown>, Peer>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    execute: (args) => executeInTime(args, operationMs),
    // The events of a feed, every subscription is one of those; how they are told is `tellEvents`.
    subscribe: createSourceEventStream as (
      args: ExecutionArgs,
    ) => Promise<AsyncIterableIterator<never> | ExecutionResult>,
    onOperation: ({ extra }, id, payload, args, source) =>
      "take" in source
        ? tellEvents(results, extra, { id, payload, args }, source as unknown as Subscription)
        : undefined,
    onConnect: (context) => admit(context, options),
    onSubscribe: (context, id, payload) => prepare(context, { id, payload }, options),
    onNext: (_context, _id, _payload, args, result) =>
      result.errors
        ? ({
            ...result,
            errors: reporter.tell(result.errors, (args.contextValue as Context).log),
          } as FormattedExecutionResult)
        : undefined,
    onError: (context, _id, _payload, errors) => reporter.tell(errors, context.extra.log),
  });
}

/** False closes with 4403. */
async function admit(
  context: PeerContext,
  { authenticator, connections }: SocketProtocolOptions,
): Promise<boolean> {
  const { connectionParams, extra } = context;
  // The library holds them as long as the socket is open; the token has no business there.
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
  // It went away while its token was looked at: no "close" would take it out again.
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

/** An error of a single operation is never one of the socket. */
async function prepare(
  { extra: { session, log }, subscriptions }: PeerContext,
  { id, payload }: { id: string; payload: OperationRequest },
  { operations, rateLimits, subscriptionsPerSocket }: SocketProtocolOptions,
) {
  if (!session) throw new Error("A socket without a session got to subscribe");
  if (Object.keys(subscriptions).length > subscriptionsPerSocket)
    return [
      asGraphQLError(
        new QuotaExceededError(
          `A socket may have ${subscriptionsPerSocket} subscriptions at most.`,
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

function tellEvents(
  results: FanOutCache,
  { writer }: Peer,
  { id, payload, args }: { id: string; payload: OperationRequest; args: ExecutionArgs },
  subscription: Subscription,
): AsyncIterableIterator<never> {
  const result = results.join(args);
  // graphql-ws holds both as long as the stream is open: the context and the text of each need not
  // be.
  args.contextValue = null;
  payload.query = "";
  return new SocketStream({ id, subscription, result, writer });
}
