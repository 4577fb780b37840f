import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Logger } from "../../../runtime/logger.js";
import { CLOSE } from "./closing.js";

/** A peer that does not accept a frame within this time is disconnected. */
const UNSENT_MS = 30_000;
/** Maximum bytes that are buffered for a peer that does not read. */
const MAX_BUFFERED = 1024 * 1024;
const GRACE_MS = 1000;

/**
 * Produces events no faster than the peer reads them. A peer that stops reading is disconnected
 * instead of buffering more; it can resume with its cursor. `stream` is the stream under `socket`.
 * Both only write whole frames, so their writes can alternate.
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

  /** True if the peer has read almost everything that was sent. */
  get free(): boolean {
    return this.#free;
  }

  /** Sends a message. Resolves when it was written. */
  send(data: string): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      const timeout = this.#startTimeout();
      socket.send(data, (error) => {
        clearTimeout(timeout);
        if (error) reject(error);
        else resolve();
      });
      if (socket.bufferedAmount > MAX_BUFFERED) this.#disconnect("too many unsent bytes");
    });
  }

  /** Writes complete frames without waiting. Check `free` before the next call. */
  write(frames: Buffer): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN || this.#stream.write(frames) || !this.#free) return;
    this.#pause();
  }

  /** Calls the listener once, when the writer is free. */
  whenFree(listener: () => void): void {
    if (this.#free) listener();
    else this.#waiting.push(listener);
  }

  #pause(): void {
    const stream = this.#stream;
    const timeout = this.#startTimeout();
    this.#free = false;
    const resume = () => {
      clearTimeout(timeout);
      stream.off("drain", resume).off("close", resume);
      const listeners = this.#waiting;
      this.#waiting = [];
      this.#free = true;
      for (const listener of listeners) listener();
    };
    stream.once("drain", resume).once("close", resume);
  }

  #startTimeout(): NodeJS.Timeout {
    return setTimeout(() => this.#disconnect("a frame was not read in time"), this.#unsentMs);
  }

  #disconnect(why: string): void {
    const socket = this.#socket;
    this.#log().info(
      { why, buffered: socket.bufferedAmount },
      "closed a socket whose reader is too slow",
    );
    socket.close(...CLOSE.tryAgainLater);
    // The close frame also waits behind the unread bytes.
    setTimeout(() => socket.terminate(), GRACE_MS).unref();
  }
}
