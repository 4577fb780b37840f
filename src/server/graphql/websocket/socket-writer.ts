import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Logger } from "../../../runtime/logger.js";
import { CLOSE } from "./closing.js";

/** A frame that was not taken for so long is not waited for any more. */
const UNSENT_MS = 30_000;
/** What may wait in memory for a peer that does not read. */
const MAX_BUFFERED = 1024 * 1024;
const GRACE_MS = 1000;

/**
 * A stream is pulled no faster than it is read. A peer that stops reading is cut off at a bound:
 * its cursor lets it resume, and nobody buffers for it. `stream` is what `socket` writes to; both
 * write whole frames, so they may take turns.
 */
export class SocketWriter {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #log: () => Logger;
  readonly #unsentMs: number;
  #free = true;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket, stream: Duplex, log: () => Logger, unsentMs = UNSENT_MS) {
    this.#socket = socket;
    this.#stream = stream;
    this.#log = log;
    this.#unsentMs = unsentMs;
  }

  /** Whether the peer has read what it was sent, but for a little. */
  get free(): boolean {
    return this.#free;
  }

  /** Sends a message, and resolves when it has left. */
  send(data: string): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      const late = this.#cutOffLate();
      socket.send(data, (error) => {
        clearTimeout(late);
        if (error) reject(error);
        else resolve();
      });
      if (socket.bufferedAmount > MAX_BUFFERED) this.#cutOff("too much waits for it");
    });
  }

  /**
   * Writes whole frames as they are, for which nobody waits: before the next ones look whether it
   * is `free`.
   */
  write(frames: Buffer): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN || this.#stream.write(frames) || !this.#free) return;
    this.#pause();
  }

  /** Calls back once, when it is free again. */
  whenFree(listener: () => void): void {
    if (this.#free) listener();
    else this.#waiting.push(listener);
  }

  #pause(): void {
    const stream = this.#stream;
    const late = this.#cutOffLate();
    this.#free = false;
    const go = () => {
      clearTimeout(late);
      stream.off("drain", go).off("close", go);
      const listeners = this.#waiting;
      this.#waiting = [];
      this.#free = true;
      for (const listener of listeners) listener();
    };
    stream.once("drain", go).once("close", go);
  }

  #cutOffLate(): NodeJS.Timeout {
    return setTimeout(() => this.#cutOff("a frame was not taken in time"), this.#unsentMs);
  }

  #cutOff(why: string): void {
    const socket = this.#socket;
    this.#log().info(
      { why, buffered: socket.bufferedAmount },
      "a reader is too slow and is cut off",
    );
    socket.close(...CLOSE.tryAgainLater);
    // The close frame, too, waits behind what is not read.
    setTimeout(() => socket.terminate(), GRACE_MS).unref();
  }
}
