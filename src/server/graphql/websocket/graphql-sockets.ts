// Handles WebSockets on the path of the endpoint, from the upgrade to the close. The protocol on
// them is in `socket-protocol.ts`.
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { handleProtocols } from "graphql-ws";
import { WebSocketServer, type WebSocket } from "ws";
import { LIMITS } from "../../../graphql/limits/limits.js";
import type { Logger } from "../../../runtime/logger.js";
import { CLOSE, closeInTurns } from "./closing.js";
import { ConnectionAdmission, type ExpelReason } from "../../access/connection-admission.js";
import { networkOf, type Proxies } from "../../http/client-address.js";
import type { Origins } from "../../http/secure-answers.js";
import { requestIdOf } from "../../http/request-log.js";
import { createSocketProtocol, type Peer, type SocketProtocolOptions } from "./socket-protocol.js";
import { SocketWriter } from "./socket-writer.js";

interface GraphqlSocketsOptions extends SocketProtocolOptions {
  server: Server;
  origins: Origins;
  proxies: Proxies;
  /** Maximum number of sockets that have not signed in. */
  openingSockets: number;
  log: Logger;
  onClosed: (code: number) => void;
  /** Called when a socket is refused because too many are opening. */
  onRefused: () => void;
}

export interface GraphqlSockets {
  /** Number of open sockets. */
  readonly count: number;
  /** Number of sockets that have not signed in. */
  readonly opening: number;
  /** Waiting time of the socket that waits longest before its upgrade. */
  readonly longestWaitSeconds: number;
  /** Refuses new sockets and closes the open ones with 1001: clients reconnect elsewhere. */
  close(): Promise<void>;
}

/** Timeout for peers to answer the close. */
const CLOSE_GRACE_MS = 3000;
/** The same for a peer that has not signed in. The library waits longer for the others. */
const STRANGER_GRACE_MS = 1000;

/** Close codes for an idle socket that loses its place. Standard clients reconnect after both. */
const EXPELLED: Record<ExpelReason, readonly [code: number, reason: string]> = {
  late: CLOSE.noSignIn,
  crowded: CLOSE.tryAgainLater,
};

export function createGraphqlSockets(options: GraphqlSocketsOptions): GraphqlSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.bytes,
    perMessageDeflate: false,
    handleProtocols,
  });
  const admission = new ConnectionAdmission(options.openingSockets);
  const keepAlive = createKeepAlive();
  const shared = { ...options, admission, keepAlive, protocol: createSocketProtocol(options) };

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url?.split("?", 1)[0];
    if (path !== "/graphql") return refuseUpgrade(socket, "404 Not Found");
    if (!options.origins.allows(request)) return refuseUpgrade(socket, "403 Forbidden");
    // Until the upgrade there is no other listener, and an unhandled error would end the process.
    socket.on("error", ignore);
    const address = options.proxies.addressOf(request);
    admission.request(networkOf(address), (mayOpen) => {
      socket.off("error", ignore);
      if (!mayOpen) options.onRefused();
      const from = { socketId: requestIdOf(request), address };
      sockets.handleUpgrade(request, socket, head, (opened) =>
        mayOpen ? openSocket(opened, socket, from, shared) : refuse(opened),
      );
    });
  }

  options.server.on("upgrade", onUpgrade);

  return {
    get count() {
      return sockets.clients.size;
    },
    get opening() {
      return admission.opening;
    },
    get longestWaitSeconds() {
      return admission.longestWaitSeconds;
    },
    async close() {
      options.server.off("upgrade", onUpgrade);
      admission.close();
      await closeInTurns(sockets.clients, (socket) => socket.close(...CLOSE.goingAway));
      await Promise.race([new Promise((resolve) => sockets.close(resolve)), pause(CLOSE_GRACE_MS)]);
      for (const socket of sockets.clients) socket.terminate();
      keepAlive.stop();
    },
  };
}

/** The objects that all sockets share. */
interface Shared extends Pick<GraphqlSocketsOptions, "log" | "onClosed"> {
  admission: ConnectionAdmission;
  keepAlive: KeepAlive;
  protocol: ReturnType<typeof createSocketProtocol>;
}

function openSocket(
  socket: WebSocket,
  stream: Duplex,
  { socketId, address }: { socketId: string; address: string },
  shared: Shared,
): void {
  const { admission, keepAlive, protocol } = shared;
  const log = () => shared.log.child({ socketId });
  const writer = new SocketWriter(socket, stream, log);
  const place = admission.enter(networkOf(address), (reason) => close(...EXPELLED[reason]));
  const close = (code: number, reason?: string) => {
    // Free its place at once: the peer may never answer the close.
    place.leave();
    socket.close(code, reason);
    if (!peer.session) setTimeout(() => socket.terminate(), STRANGER_GRACE_MS).unref();
  };
  const peer: Peer = { socket, writer, address, log, close, onSignIn: place.onSignIn };
  socket.on("error", (error) => {
    log().debug({ err: error }, "a socket failed");
    // On a malformed frame, the library has already started to close the socket.
    close(CLOSE.invalidMessage[0]);
  });
  const takeToken = createMessageRate();
  const isFlood = (): boolean => {
    if (takeToken()) return false;
    close(...CLOSE.tooManyMessages);
    return true;
  };
  socket.on("ping", isFlood);
  const onHandled = () => peer.session && place.leave();
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) => writer.send(data),
      close,
      onMessage: (handle: (message: never) => Promise<void>) =>
        socket.on(
          "message",
          (data) =>
            void (
              isFlood() ||
              handle(parsed(String(data)) as never).then(onHandled, (error) => fail(peer, error))
            ),
        ),
    },
    peer,
  );
  keepAlive.watch(socket);
  socket.on("close", (code, reason) => {
    place.leave();
    shared.onClosed(code);
    closed(code, String(reason)).catch((error: unknown) =>
      log().error({ err: error }, "a socket's streams could not be closed"),
    );
  });
}

function fail({ socket, log, close }: Peer, error: unknown): void {
  // A message that cannot be sent to a closed socket is not an error.
  if (socket.readyState !== socket.OPEN) return;
  // A message that only servers send is the peer's error, so it needs no log line.
  if (error instanceof Error && error.message.startsWith("Unexpected message of type"))
    return close(...CLOSE.invalidMessage);
  log().error({ err: error }, "a message could not be handled");
  close(...CLOSE.internal);
}

/**
 * The library accepts objects and texts, and keeps the message while a stream is open. It refuses a
 * text that is not JSON.
 */
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
  socket.close(...CLOSE.tryAgainLater);
  setTimeout(() => socket.terminate(), STRANGER_GRACE_MS).unref();
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on("error", ignore);
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

const PING_MS = 25_000;
/** Groups of sockets that are pinged at different times, to spread the load. */
const GROUPS = 25;

interface KeepAlive {
  watch(socket: WebSocket): void;
  stop(): void;
}

/**
 * Pings all sockets with one timer, so that proxies do not close them as idle. A peer that has not
 * answered a ping until the next one is disconnected.
 */
export function createKeepAlive(pingMs = PING_MS): KeepAlive {
  const groups = Array.from({ length: GROUPS }, () => new Set<WebSocket>());
  const unanswered = new Set<WebSocket>();
  let current = 0;

  function pingGroup(): void {
    current = (current + 1) % GROUPS;
    for (const socket of groups[current] ?? []) {
      if (unanswered.has(socket)) socket.terminate();
      else {
        unanswered.add(socket);
        socket.ping();
      }
    }
  }

  const timer = setInterval(pingGroup, pingMs / GROUPS).unref();
  return {
    watch(socket) {
      // The current group was just pinged, so the first ping comes after a whole interval.
      const group = groups[current]?.add(socket);
      socket.on("pong", () => unanswered.delete(socket));
      socket.on("close", () => {
        group?.delete(socket);
        unanswered.delete(socket);
      });
    },
    stop: () => clearInterval(timer),
  };
}

/** Messages that a peer may send at once, and then per second. No client needs nearly as many. */
const BURST = 300;
const PER_SECOND = 30;

/** A token bucket for one socket: each call takes a token and returns false if there is none. */
export function createMessageRate(now: () => number = Date.now): () => boolean {
  let tokens = BURST;
  let last = now();
  return () => {
    const time = now();
    tokens = Math.min(BURST, tokens + (Math.max(0, time - last) / 1000) * PER_SECOND);
    last = time;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
