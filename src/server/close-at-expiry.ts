import { CloseCode } from "graphql-ws";
import type { WebSocket } from "ws";
import { LEEWAY_SECONDS } from "../auth/verified-tokens.js";

/** A longer timer is looked at again: one of over 24.8 days would fire at once. */
const LONGEST_WAIT_MS = 3_600_000;

/** Closes the socket with 4403 when its token expires (seconds since 1970); the client then comes back with a fresh one. */
export function closeAtExpiry(socket: WebSocket, expiresAt: number): void {
  let timer: NodeJS.Timeout;
  function look(): void {
    const left = (expiresAt + LEEWAY_SECONDS) * 1000 - Date.now();
    if (left <= 0) socket.close(CloseCode.Forbidden, "Forbidden");
    else timer = setTimeout(look, Math.min(left, LONGEST_WAIT_MS));
  }
  look();
  socket.once("close", () => clearTimeout(timer));
}
