// Subscriptions: graphql-transport-ws on the path of the endpoint. Nothing of Apollo reaches here, so the checks, the
// limits and the masking of errors are put in place again, from the same pieces.
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { createSourceEventStream } from "graphql";
import type { ExecutionArgs, ExecutionResult, FormattedExecutionResult } from "graphql";
import { CloseCode, handleProtocols, makeServer } from "graphql-ws";
import type { Context as SocketContext } from "graphql-ws";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { QuotaExceededError, UnauthenticatedError } from "../errors.js";
import type { Subscription } from "../events/subscription.js";
import type { Context } from "../graphql/context.js";
import { isInternal } from "../graphql/format-error.js";
import type { Logger } from "../logger.js";
import { asGraphQLError } from "./as-graphql-error.js";
import type { Authenticator, Session } from "./authenticator.js";
import { closeAtExpiry } from "./close-at-expiry.js";
import { closeInTurns } from "./close-in-turns.js";
import type { ErrorTeller } from "./error-teller.js";
import { executeInTime } from "./execute-in-time.js";
import { MAX_GRAPHQL_BYTES } from "./graphql-body.js";
import { createKeepAlive } from "./keep-alive.js";
import { createMessageRate } from "./message-rate.js";
import type { OperationCompiler } from "./operation-compiler.js";
import type { OperationRequest, Operations } from "./operations.js";
import type { Origins } from "./origins.js";
import type { Proxies } from "./proxies.js";
import type { RateLimits } from "./rate-limits.js";
import { createSharedResults } from "./shared-results.js";
import { createSocketDoor } from "./socket-door.js";
import { createSocketStream } from "./socket-stream.js";
import { createSocketWriter } from "./socket-writer.js";
import type { SocketWriter } from "./socket-writer.js";
import { newRequestId, requestIdOf } from "./request-id.js";
import type { UserConnections } from "./user-connections.js";

export interface GraphqlSocketsOptions {
  server: Server;
  operations: Operations;
  teller: ErrorTeller;
  compiled: OperationCompiler;
  authenticator: Authenticator;
  connections: UserConnections;
  origins: Origins;
  proxies: Proxies;
  rateLimits: RateLimits;
  /** Until a query or a mutation is answered. */
  operationMs: number;
  limits: { subscriptionsPerSocket: number; openingSockets: number };
  log: Logger;
  onClosed: (code: number) => void;
}

export interface GraphqlSockets {
  /** Sockets that are open now. */
  readonly count: number;
  /** Closes what a user has open, sockets with 4403 and streams: their account is gone. */
  closeUser(userId: string): void;
  /** Takes no more sockets, and closes those there are with 1001: clients come back elsewhere. */
  close(): Promise<void>;
}

interface Extra {
  socket: WebSocket;
  writer: SocketWriter;
  address: string;
  /** Made when there is something to say: of most sockets there never is. */
  log: () => Logger;
  session?: Session;
}

const TRY_AGAIN_LATER = 1013;
const GOING_AWAY = 1001;
const INIT_TIMEOUT_MS = 5000;
/** For the peers to answer the close. */
const CLOSE_GRACE_MS = 3000;

export function createGraphqlSockets(options: GraphqlSocketsOptions): GraphqlSockets {
  const { limits, operations, teller, connections } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_GRAPHQL_BYTES, perMessageDeflate: false, handleProtocols });
  const door = createSocketDoor(limits.openingSockets);
  const keepAlive = createKeepAlive();
  const results = createSharedResults(options.compiled, (errors, { contextValue }) => teller.tell(errors, (contextValue as Context).log));

  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    execute: (args) => executeInTime(args, options.operationMs),
    // The events of a feed, every subscription is one of those; how they are told is `tellEvents`.
    subscribe: createSourceEventStream as (args: ExecutionArgs) => Promise<AsyncIterableIterator<never> | ExecutionResult>,
    onOperation: ({ extra }, id, payload, args, source) => ("take" in source ? tellEvents(extra, { id, payload, args }, source as unknown as Subscription) : undefined),
    onConnect: (context) => admit(context),
    onSubscribe: (context, id, payload) => prepare(context, id, payload),
    onNext: (_context, _id, _payload, args, result) => (result.errors ? ({ ...result, errors: teller.tell(result.errors, (args.contextValue as Context).log) } as FormattedExecutionResult) : undefined),
    onError: (context, _id, _payload, errors) => teller.tell(errors, context.extra.log),
  });

  /** False closes with 4403. */
  async function admit(context: SocketContext<Record<string, unknown>, Extra>): Promise<boolean> {
    const { connectionParams, extra } = context;
    // The library holds them as long as the socket is open; the token has no business there.
    Object.assign(context, { connectionParams: undefined });
    try {
      extra.session = await options.authenticator.fromPayload(connectionParams, extra.address);
    } catch (error) {
      if (!(error instanceof UnauthenticatedError)) extra.socket.close(TRY_AGAIN_LATER, "Try again later");
      if (isInternal(error)) extra.log().error({ err: error }, "a socket could not be authenticated");
      return false;
    }
    return register(extra.socket, extra.session);
  }

  function register(socket: WebSocket, { user, expiresAt }: Session): boolean {
    // It went away while its token was looked at: no "close" would take it out again.
    if (socket.readyState !== socket.OPEN) return false;
    const leave = connections.add(user.id, () => socket.close(CloseCode.Forbidden, "Forbidden"));
    if (!leave) {
      socket.close(CloseCode.TooManyInitialisationRequests, "Too many sockets");
      return false;
    }
    const disarm = closeAtExpiry(expiresAt, () => socket.close(CloseCode.Forbidden, "Forbidden"));
    socket.on("close", () => {
      leave();
      disarm();
    });
    return true;
  }

  function tellEvents({ writer }: Extra, { id, payload, args }: { id: string; payload: OperationRequest; args: ExecutionArgs }, subscription: Subscription): AsyncIterableIterator<never> {
    const result = results.join(args);
    // graphql-ws holds both as long as the stream is open: the context and the text of each need not be.
    args.contextValue = null;
    payload.query = "";
    return createSocketStream({ id, subscription, result, writer });
  }

  /** An error of a single operation is never one of the socket. */
  async function prepare({ extra: { session, log }, subscriptions }: SocketContext<Record<string, unknown>, Extra>, id: string, payload: OperationRequest) {
    if (!session) throw new Error("A socket without a session got to subscribe");
    if (Object.keys(subscriptions).length > limits.subscriptionsPerSocket) return [asGraphQLError(new QuotaExceededError(`A socket may have ${limits.subscriptionsPerSocket} subscriptions at most.`, 1000))];
    try {
      await options.rateLimits.takeOfUser(session.user.id);
    } catch (error) {
      return [asGraphQLError(error)];
    }
    const requestId = newRequestId();
    return operations.prepare(session, payload, { requestId, log: () => log().child({ operationId: id, requestId, userId: session.user.id }) });
  }

  function open(socket: WebSocket, request: IncomingMessage, stream: Duplex): void {
    const socketId = requestIdOf(request);
    const log = () => options.log.child({ socketId });
    socket.on("error", (error) => log().debug({ err: error }, "a socket broke"));
    const writer = createSocketWriter(socket, stream, log);
    const extra: Extra = { socket, writer, address: options.proxies.addressOf(request), log };
    const leaveDoor = door.enter();
    const mayTell = createMessageRate();
    const isFlood = (): boolean => {
      if (mayTell()) return false;
      socket.close(CloseCode.TooManyInitialisationRequests, "Too many messages");
      return true;
    };
    socket.on("ping", isFlood);
    const onHandled = () => extra.session && leaveDoor();
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: writer.send,
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle: (message: never) => Promise<void>) => socket.on("message", (data) => void (isFlood() || handle(parsed(String(data)) as never).then(onHandled, (error) => fail(socket, log, error)))),
      },
      extra,
    );
    keepAlive.watch(socket);
    socket.on("close", (code, reason) => {
      leaveDoor();
      options.onClosed(code);
      closed(code, String(reason)).catch((error: unknown) => log().error({ err: error }, "a socket's streams could not be closed"));
    });
  }

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url?.split("?", 1)[0];
    if (path !== "/graphql") return refuseUpgrade(socket, "404 Not Found");
    if (!options.origins.allows(request)) return refuseUpgrade(socket, "403 Forbidden");
    // Until the upgrade nobody else listens, and an error without a listener would end the process.
    socket.on("error", ignore);
    door.knock((mayOpen) => {
      socket.off("error", ignore);
      sockets.handleUpgrade(request, socket, head, (opened) => (mayOpen ? open(opened, request, socket) : refuse(opened)));
    });
  }

  options.server.on("upgrade", onUpgrade);

  return {
    get count() {
      return sockets.clients.size;
    },
    closeUser: (userId) => connections.closeUser(userId),
    async close() {
      options.server.off("upgrade", onUpgrade);
      door.close();
      await closeInTurns(sockets.clients, (socket) => socket.close(GOING_AWAY, "Going away"));
      await Promise.race([new Promise((resolve) => sockets.close(resolve)), pause(CLOSE_GRACE_MS)]);
      for (const socket of sockets.clients) socket.terminate();
      keepAlive.stop();
    },
  };
}

function fail(socket: WebSocket, log: () => Logger, error: unknown): void {
  // What cannot be sent any more is no fault of ours.
  if (socket.readyState !== socket.OPEN) return;
  // What only servers send is the peer's fault, and nothing that a person must act on.
  if (error instanceof Error && error.message.startsWith("Unexpected message of type")) return socket.close(CloseCode.BadRequest, "Invalid message received");
  log().error({ err: error }, "a message could not be handled");
  socket.close(CloseCode.InternalServerError, "Internal server error");
}

/** The library takes it either way, and holds what it takes as long as a stream is open; what is no JSON it refuses. */
function parsed(text: string): unknown {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" ? message : text;
  } catch {
    return text;
  }
}

function ignore(): void {}

function refuse(socket: WebSocket): void {
  socket.on("error", ignore);
  socket.close(TRY_AGAIN_LATER, "Try again later");
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on("error", ignore);
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
