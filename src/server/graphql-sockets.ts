// Sockets on the path of the endpoint, from the upgrade to the close. What is said on them is `socket-protocol.ts`.
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { handleProtocols } from "graphql-ws";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { LIMITS } from "../graphql/limits/limits.js";
import type { Logger } from "../logger.js";
import { CLOSE } from "./close-codes.js";
import { closeInTurns } from "./close-in-turns.js";
import { createKeepAlive } from "./keep-alive.js";
import { createMessageRate } from "./message-rate.js";
import type { Origins } from "./origins.js";
import type { Proxies } from "./proxies.js";
import { requestIdOf } from "./request-id.js";
import { createSocketDoor } from "./socket-door.js";
import { createSocketProtocol } from "./socket-protocol.js";
import type { Peer, SocketProtocolOptions } from "./socket-protocol.js";
import { createSocketWriter } from "./socket-writer.js";

export interface GraphqlSocketsOptions extends SocketProtocolOptions {
  server: Server;
  origins: Origins;
  proxies: Proxies;
  /** That have not signed in yet. */
  openingSockets: number;
  log: Logger;
  onClosed: (code: number) => void;
}

export interface GraphqlSockets {
  /** Sockets that are open now. */
  readonly count: number;
  /** Takes no more sockets, and closes those there are with 1001: clients come back elsewhere. */
  close(): Promise<void>;
}

/** For the peers to answer the close. */
const CLOSE_GRACE_MS = 3000;

export function createGraphqlSockets(options: GraphqlSocketsOptions): GraphqlSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LIMITS.bytes, perMessageDeflate: false, handleProtocols });
  const door = createSocketDoor(options.openingSockets);
  const keepAlive = createKeepAlive();
  const protocol = createSocketProtocol(options);

  function open(socket: WebSocket, request: IncomingMessage, stream: Duplex): void {
    const socketId = requestIdOf(request);
    const log = () => options.log.child({ socketId });
    socket.on("error", (error) => log().debug({ err: error }, "a socket broke"));
    const writer = createSocketWriter(socket, stream, log);
    const peer: Peer = { socket, writer, address: options.proxies.addressOf(request), log };
    const leaveDoor = door.enter();
    const mayTell = createMessageRate();
    const isFlood = (): boolean => {
      if (mayTell()) return false;
      socket.close(...CLOSE.tooManyMessages);
      return true;
    };
    socket.on("ping", isFlood);
    const onHandled = () => peer.session && leaveDoor();
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: writer.send,
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle: (message: never) => Promise<void>) => socket.on("message", (data) => void (isFlood() || handle(parsed(String(data)) as never).then(onHandled, (error) => fail(socket, log, error)))),
      },
      peer,
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
    async close() {
      options.server.off("upgrade", onUpgrade);
      door.close();
      await closeInTurns(sockets.clients, (socket) => socket.close(...CLOSE.goingAway));
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
  if (error instanceof Error && error.message.startsWith("Unexpected message of type")) return socket.close(...CLOSE.invalidMessage);
  log().error({ err: error }, "a message could not be handled");
  socket.close(...CLOSE.internal);
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
  socket.close(...CLOSE.tryAgainLater);
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on("error", ignore);
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
