import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Logger } from "../../../runtime/logger.js";
import { CLOSE } from "./closing.js";

export interface SocketWriter {
  /** Sends a message, and resolves when it has left. */
  send(data: string): Promise<void>;
  /**
   * Writes whole frames as they are, for which nobody waits: before the next ones look whether it
   * is `free`.
   */
  write(frames: Buffer): void;
  /** Whether the peer has read what it was sent, but for a little. */
  readonly free: boolean;
  /** Calls back once, when it is free again. */
  whenFree(listener: () => void): void;
}

/** A frame that was not taken for so long is not waited for any more. */
const UNSENT_MS = 30_000;
/** What may wait in memory for a peer that does not read. */
const MOST_BUFFERED = 1024 * 1024;
const GRACE_MS = 1000;

/**
 * A stream is pulled no faster than it is read. A peer that stops reading is cut off at a bound:
 * its cursor lets it resume, and nobody buffers for it. `stream` is what `socket` writes to; both
 * write whole frames, so they may take turns.
 */
export function createSocketWriter(
  socket: WebSocket,
  stream: Duplex,
  log: () => Logger,
  unsentMs = UNSENT_MS,
): SocketWriter {
  const state = { free: true };
  let waiting: (() => void)[] = [];

  function cutOff(why: string): void {
    log().info({ why, buffered: socket.bufferedAmount }, "a reader is too slow and is cut off");
    socket.close(...CLOSE.tryAgainLater);
    // The close frame, too, waits behind what is not read.
    setTimeout(() => socket.terminate(), GRACE_MS).unref();
  }

  const cutOffLate = () => setTimeout(() => cutOff("a frame was not taken in time"), unsentMs);

  function pause(): void {
    const late = cutOffLate();
    state.free = false;
    const go = () => {
      clearTimeout(late);
      stream.off("drain", go).off("close", go);
      const listeners = waiting;
      waiting = [];
      state.free = true;
      for (const listener of listeners) listener();
    };
    stream.once("drain", go).once("close", go);
  }

  return Object.assign(state, {
    send: (data) =>
      new Promise((resolve, reject) => {
        if (socket.readyState !== socket.OPEN) return resolve();
        const late = cutOffLate();
        socket.send(data, (error) => {
          clearTimeout(late);
          if (error) reject(error);
          else resolve();
        });
        if (socket.bufferedAmount > MOST_BUFFERED) cutOff("too much waits for it");
      }),
    write(frames) {
      if (socket.readyState !== socket.OPEN || stream.write(frames) || !state.free) return;
      pause();
    },
    whenFree(listener) {
      if (state.free) listener();
      else waiting.push(listener);
    },
  } satisfies Omit<SocketWriter, keyof typeof state>);
}
