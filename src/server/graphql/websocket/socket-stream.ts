import type { Subscription } from "../../../events/subscription.js";
import type { SharedResult } from "./shared-results.js";
import type { SocketWriter } from "./socket-writer.js";

/** Events, and about how many bytes of them, that go in one write. */
const MOST_EVENTS = 16;
const MOST_BYTES = 64 * 1024;
/** What a text counts that is still being made: few of them wait for their reader at once. */
const LATE_BYTES = MOST_BYTES / 4;

/**
 * The events of a subscription as frames of graphql-transport-ws: whatever is at hand goes in one
 * write. To the library that speaks the protocol it is a stream in which nothing happens until it
 * ends; to hand it each event would cost a dozen promises a frame.
 */
export function createSocketStream({
  id,
  subscription,
  result,
  writer,
}: {
  id: string;
  subscription: Subscription;
  result: SharedResult;
  writer: SocketWriter;
}): AsyncIterableIterator<never> {
  const start = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  let waits = false;
  let stopped = false;
  let settle: (() => void) | null = null;
  /** Made, and not written yet. */
  let ready: Buffer[] = [];

  function run(): void {
    while (!waits) {
      if (!writer.free) return waitForReader();
      if (ready.length > 0) writer.write(toFrames(start, takeReady()));
      else if (!takeTexts()) break;
    }
    if (subscription.over && !waits) settle?.();
  }

  /** As many as one write takes. */
  function takeReady(): Buffer[] {
    let [count, bytes] = [0, 0];
    while (count < ready.length && bytes < MOST_BYTES) bytes += ready[count++]?.length ?? 0;
    return ready.splice(0, count);
  }

  /** False when there are none. */
  function takeTexts(): boolean {
    const texts: (Buffer | Promise<Buffer>)[] = [];
    for (let bytes = 0; texts.length < MOST_EVENTS && bytes < MOST_BYTES;) {
      const told = subscription.take();
      if (!told) break;
      const text = result.textOf(told);
      texts.push(text);
      bytes += isReady(text) ? text.length : LATE_BYTES;
    }
    if (texts.every(isReady)) ready = texts;
    else waitForTexts(texts);
    return texts.length > 0;
  }

  function goOn(): void {
    waits = false;
    run();
  }

  function waitForReader(): void {
    waits = true;
    writer.whenFree(goOn);
  }

  function waitForTexts(texts: (Buffer | Promise<Buffer>)[]): void {
    waits = true;
    void Promise.all(texts).then((made) => {
      if (stopped) return;
      ready = made;
      goOn();
    });
  }

  return {
    next() {
      return new Promise((resolve, reject) => {
        settle = () => {
          result.leave();
          if (subscription.over instanceof Error) reject(subscription.over);
          else resolve({ done: true, value: undefined });
        };
        subscription.onNews(run);
        run();
      });
    },
    async return() {
      stopped = true;
      waits = false;
      ready = [];
      result.leave();
      await subscription.return();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
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
 * Of a text frame that is whole and not masked (RFC 6455, 5.2); returns where its payload begins.
 */
function writeHead(frames: Buffer, at: number, length: number): number {
  const next = frames.writeUInt8(0x81, at);
  if (length < 126) return frames.writeUInt8(length, next);
  if (length < 65_536) return frames.writeUInt16BE(length, frames.writeUInt8(126, next));
  return frames.writeBigUInt64BE(BigInt(length), frames.writeUInt8(127, next));
}
