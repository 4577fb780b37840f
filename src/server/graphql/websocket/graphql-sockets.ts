// Sockets on the path of the endpoint, from the upgrade to the close. What is said on them is
// `socket-protocol.ts`.
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
  /** That have not signed in yet. */
  openingSockets: number;
  log: Logger;
  onClosed: (code: number) => void;
  /** A socket may not open, since too many do. */
  onRefused: () => void;
}

export interface GraphqlSockets {
  /** Sockets that are open now. */
  readonly count: number;
  /** Sockets that have not signed in yet. */
  readonly opening: number;
  /** How long the first of those that wait before their upgrade has waited. */
  readonly longestWaitSeconds: number;
  /** Takes no more sockets, and closes those there are with 1001: clients come back elsewhere. */
  close(): Promise<void>;
}

/** For the peers to answer the close. */
const CLOSE_GRACE_MS = 3000;
/**
 * For a peer that has not signed in to answer our close; from the others the library waits longer.
 */
const STRANGER_GRACE_MS = 1000;

/** How an idle socket is closed whose place is taken back; stock clients come again after both. */
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
    // Until the upgrade nobody else listens, and an error without a listener would end the process.
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

/** What all sockets have in common. */
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
    // Its place is free at once: what it does about our close is up to it.
    place.leave();
    socket.close(code, reason);
    if (!peer.session) setTimeout(() => socket.terminate(), STRANGER_GRACE_MS).unref();
  };
  const peer: Peer = { socket, writer, address, log, close, onSignIn: place.onSignIn };
  socket.on("error", (error) => {
    log().debug({ err: error }, "a socket broke");
    // Where a frame is broken, the library has begun to close it.
    close(CLOSE.invalidMessage[0]);
  });
  const mayTell = createMessageRate();
  const isFlood = (): boolean => {
    if (mayTell()) return false;
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
  // What cannot be sent any more is no fault of ours.
  if (socket.readyState !== socket.OPEN) return;
  // What only servers send is the peer's fault, and nothing that a person must act on.
  if (error instanceof Error && error.message.startsWith("Unexpected message of type"))
    return close(...CLOSE.invalidMessage);
  log().error({ err: error }, "a message could not be handled");
  close(...CLOSE.internal);
}

/**
 * The library takes it either way, and holds what it takes as long as a stream is open; what is no
 * JSON it refuses.
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
/**
 * In the time between two pings of a socket; so that those of many are not pinged in one moment.
 */
const BEATS = 25;

interface KeepAlive {
  watch(socket: WebSocket): void;
  stop(): void;
}

/**
 * Pings, so that no proxy takes a socket for idle. A peer that has answered no ping until the next
 * one is dead, and cut off. One timer for all.
 */
export function createKeepAlive(pingMs = PING_MS): KeepAlive {
  const pingedAt = Array.from({ length: BEATS }, () => new Set<WebSocket>());
  const unanswered = new Set<WebSocket>();
  let beat = 0;

  function pingSome(): void {
    beat = (beat + 1) % BEATS;
    for (const socket of pingedAt[beat] ?? []) {
      if (unanswered.has(socket)) socket.terminate();
      else {
        unanswered.add(socket);
        socket.ping();
      }
    }
  }

  const timer = setInterval(pingSome, pingMs / BEATS).unref();
  return {
    watch(socket) {
      // Those of this beat have been pinged: a whole round is left to it.
      const own = pingedAt[beat]?.add(socket);
      socket.on("pong", () => unanswered.delete(socket));
      socket.on("close", () => {
        own?.delete(socket);
        unanswered.delete(socket);
      });
    },
    stop: () => clearInterval(timer),
  };
}

/** Messages that a peer may send at once, and then each second: far above what any client needs. */
const BURST = 300;
const EACH_SECOND = 30;

/** A bucket of tokens for one socket: each call takes one, and says whether there was one. */
export function createMessageRate(now: () => number = Date.now): () => boolean {
  let tokens = BURST;
  let last = now();
  return () => {
    const time = now();
    tokens = Math.min(BURST, tokens + (Math.max(0, time - last) / 1000) * EACH_SECOND);
    last = time;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
