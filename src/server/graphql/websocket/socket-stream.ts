import type { Subscription } from "../../../events/subscription.js";
import type { FanOutResult } from "./fan-out-cache.js";
import type { SocketWriter } from "./socket-writer.js";

/** Maximum events per write, and the approximate maximum of their bytes. */
const MAX_EVENTS = 16;
const MAX_BYTES = 64 * 1024;
/** Assumed bytes of an unfinished text before the first text of the stream. */
const FIRST_LATE_BYTES = MAX_BYTES / 4;

type FrameWriter = Pick<SocketWriter, "free" | "write" | "whenFree">;

export interface SocketStreamOptions {
  /** Id of the operation on its socket. */
  id: string;
  subscription: Subscription;
  result: FanOutResult;
  writer: FrameWriter;
}

/**
 * Sends the events of a subscription as frames of graphql-transport-ws, all available events in one
 * write. For the protocol library, it is an empty stream that ends with the subscription.
 * Passing each event through the library would cost a dozen promises per frame.
 */
export class SocketStream implements AsyncIterableIterator<never> {
  readonly #subscription: Subscription;
  readonly #result: FanOutResult;
  readonly #writer: FrameWriter;
  /** The beginning of each frame's payload. */
  readonly #start: Buffer;
  #waits = false;
  #stopped = false;
  #settle: (() => void) | null = null;
  /** Assumed bytes of an unfinished text: those of the longest text in the last write. */
  #lateBytes = FIRST_LATE_BYTES;
  /** Finished texts that are not written yet. */
  #ready: Buffer[] = [];

  constructor({ id, subscription, result, writer }: SocketStreamOptions) {
    this.#subscription = subscription;
    this.#result = result;
    this.#writer = writer;
    this.#start = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  }

  next(): Promise<IteratorResult<never>> {
    return new Promise((resolve, reject) => {
      this.#settle = () => {
        this.#result.leave();
        const { over } = this.#subscription;
        if (over instanceof Error) reject(over);
        else resolve({ done: true, value: undefined });
      };
      this.#subscription.onUpdate(() => this.#writeAll());
      this.#writeAll();
    });
  }

  async return(): Promise<IteratorResult<never>> {
    this.#stopped = true;
    this.#waits = false;
    this.#ready = [];
    this.#result.leave();
    await this.#subscription.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #writeAll(): void {
    while (!this.#waits) {
      if (!this.#writer.free) return this.#waitForReader();
      if (this.#ready.length > 0) this.#writer.write(toFrames(this.#start, this.#takeReady()));
      else if (!this.#takeTexts()) break;
    }
    if (this.#subscription.over && !this.#waits) this.#settle?.();
  }

  /** Takes as many texts as fit in one write. */
  #takeReady(): Buffer[] {
    let [count, bytes] = [0, 0];
    const ready = this.#ready;
    while (count < ready.length && bytes < MAX_BYTES) bytes += ready[count++]?.length ?? 0;
    const taken = ready.splice(0, count);
    this.#lateBytes = Math.max(...taken.map((text) => text.length));
    return taken;
  }

  /** Returns false when no event is available. */
  #takeTexts(): boolean {
    const texts: (Buffer | Promise<Buffer>)[] = [];
    for (let bytes = 0; texts.length < MAX_EVENTS && bytes < MAX_BYTES;) {
      const published = this.#subscription.take();
      if (!published) break;
      const text = this.#result.textOf(published);
      texts.push(text);
      bytes += isReady(text) ? text.length : this.#lateBytes;
    }
    if (texts.every(isReady)) this.#ready = texts;
    else this.#waitForTexts(texts);
    return texts.length > 0;
  }

  #waitForReader(): void {
    this.#waits = true;
    this.#writer.whenFree(() => this.#continue());
  }

  #waitForTexts(texts: (Buffer | Promise<Buffer>)[]): void {
    this.#waits = true;
    void Promise.all(texts).then((finished) => {
      if (this.#stopped) return;
      this.#ready = finished;
      this.#continue();
    });
  }

  #continue(): void {
    this.#waits = false;
    this.#writeAll();
  }
}

function isReady(text: Buffer | Promise<Buffer>): text is Buffer {
  return text instanceof Buffer;
}

const END = Buffer.from("}");

function toFrames(start: Buffer, texts: Buffer[]): Buffer {
  const around = start.length + END.length;
  const frames = Buffer.allocUnsafe(
    texts.reduce((sum, text) => sum + headLength(text.length + around) + around + text.length, 0),
  );
  let at = 0;
  for (const text of texts) {
    at = writeHead(frames, at, text.length + around);
    at += start.copy(frames, at);
    at += text.copy(frames, at);
    at += END.copy(frames, at);
  }
  return frames;
}

function headLength(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/**
 * Writes the header of an unfragmented, unmasked text frame (RFC 6455, 5.2). Returns the position
 * of its payload.
 */
function writeHead(frames: Buffer, at: number, length: number): number {
  const next = frames.writeUInt8(0x81, at);
  if (length < 126) return frames.writeUInt8(length, next);
  if (length < 65_536) return frames.writeUInt16BE(length, frames.writeUInt8(126, next));
  return frames.writeBigUInt64BE(BigInt(length), frames.writeUInt8(127, next));
}
