import type { WebSocket } from "ws";

const PING_MS = 25_000;
/**
 * In the time between two pings of a socket; so that those of many are not pinged in one moment.
 */
const BEATS = 25;

export interface KeepAlive {
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
