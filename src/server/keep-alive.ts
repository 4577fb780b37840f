import type { WebSocket } from "ws";

const PING_MS = 25_000;

/** Pings, so that no proxy takes the socket for idle. A peer that has answered no ping until the next one is dead, and cut off. */
export function keepAlive(socket: WebSocket, pingMs = PING_MS): void {
  let answered = true;
  socket.on("pong", () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, pingMs);
  socket.once("close", () => clearInterval(timer));
}
