import type { WebSocket } from "ws";
import type { Logger } from "../logger.js";

/** A frame that was not taken for so long is not waited for any more. */
const UNSENT_MS = 30_000;
/** What may wait in memory for a peer that does not read. */
const MOST_BUFFERED = 1024 * 1024;
const TRY_AGAIN_LATER = 1013;
const GRACE_MS = 1000;

/**
 * Sends, and resolves when the frame has left, so that a stream is pulled no faster than it is read. A peer that stops
 * reading is cut off at a bound: its cursor lets it resume, and nobody buffers for it.
 */
export function createSocketWriter(socket: WebSocket, log: Logger, unsentMs = UNSENT_MS): (data: string) => Promise<void> {
  function cutOff(why: string): void {
    log.info({ why, buffered: socket.bufferedAmount }, "a reader is too slow and is cut off");
    socket.close(TRY_AGAIN_LATER, "Try again later");
    // The close frame, too, waits behind what is not read.
    setTimeout(() => socket.terminate(), GRACE_MS).unref();
  }

  return (data) =>
    new Promise((resolve, reject) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      const late = setTimeout(() => cutOff("a frame was not taken in time"), unsentMs);
      socket.send(data, (error) => {
        clearTimeout(late);
        if (error) reject(error);
        else resolve();
      });
      if (socket.bufferedAmount > MOST_BUFFERED) cutOff("too much waits for it");
    });
}
