import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Subscription, DeliveredEvent } from "../../../../src/events/subscription.js";
import { SocketStream } from "../../../../src/server/graphql/websocket/socket-stream.js";
import { bareEvent } from "../../../support/asserts/bare-event.js";

type Text = Buffer | Promise<Buffer>;

/** A stream of available texts to a peer. The peer reads them only if `reads` is true. */
function createScene(texts: Text[], reads = true) {
  const waiting = texts.map((_, i): DeliveredEvent => ({
    event: bareEvent(i + 1),
    cursorSeq: i + 1,
    epoch: "e",
  }));
  const whenFree: (() => void)[] = [];
  const scene = {
    frames: [] as Buffer[],
    free: true,
    taken: 0,
    left: 0,
    updates: () => {},
    over: false,
  };
  const subscription = {
    take: () => (scene.taken < waiting.length ? waiting[scene.taken++] : undefined),
    get over() {
      return scene.over;
    },
    onUpdate: (listener: () => void) => void (scene.updates = listener),
    return: async () => ({ done: true, value: undefined }),
  } as unknown as Subscription;
  const writer = {
    send: async () => {},
    write(frames: Buffer) {
      scene.frames.push(frames);
      scene.free = reads;
    },
    get free() {
      return scene.free;
    },
    whenFree: (listener: () => void) => void whenFree.push(listener),
  };
  const stream = new SocketStream({
    id: "1",
    subscription,
    result: {
      textOf: ({ cursorSeq }) => texts[cursorSeq - 1] ?? assert.fail(),
      leave: () => void scene.left++,
    },
    writer,
  });
  const read = () => {
    scene.free = true;
    for (const listener of whenFree.splice(0)) listener();
  };
  return Object.assign(scene, { stream, read, ended: stream.next() });
}

/** Returns the payloads of complete, unmasked text frames. Fails for anything else. */
function payloadsOf(frames: Buffer): string[] {
  const payloads: string[] = [];
  for (let at = 0; at < frames.length;) {
    assert.equal(frames[at], 0x81);
    const short = frames[at + 1] ?? 0;
    const head = { 126: 4, 127: 10 }[short] ?? 2;
    const long = () =>
      head === 4 ? frames.readUInt16BE(at + 2) : Number(frames.readBigUInt64BE(at + 2));
    const length = head === 2 ? short : long();
    payloads.push(frames.toString("utf8", at + head, at + head + length));
    at += head + length;
    assert.ok(at <= frames.length, "the last frame is whole");
  }
  return payloads;
}

const around = '{"id":"1","type":"next","payload":}'.length;
/** Creates a text whose frame has a payload of this length. */
const ofLength = (length: number) => Buffer.from(`"${"x".repeat(length - around - 2)}"`);
const message = (text: Buffer) => `{"id":"1","type":"next","payload":${String(text)}}`;

describe("a stream on a socket", () => {
  it("writes complete frames of any length, several in one write", () => {
    const texts = [100, 125, 126, 127, 65_535, 65_536, 65_537].map(ofLength);
    const { frames } = createScene(texts);
    assert.deepEqual(frames.flatMap(payloadsOf), texts.map(message));
    assert.ok(frames.length < texts.length);
  });

  it("takes no events while its peer does not read, and continues afterwards", () => {
    const scene = createScene(
      Array.from({ length: 40 }, (_, i) => Buffer.from(String(i))),
      false,
    );
    assert.deepEqual([scene.taken, scene.frames.length], [16, 1]);
    scene.updates();
    assert.deepEqual([scene.taken, scene.frames.length], [16, 1]);
    scene.read();
    assert.deepEqual([scene.taken, scene.frames.length], [32, 2]);
    scene.read();
    assert.deepEqual(
      scene.frames
        .flatMap(payloadsOf)
        .map((text) => (JSON.parse(text) as { payload: unknown }).payload),
      Array.from({ length: 40 }, (_, i) => i),
    );
  });

  it("keeps the order when the first text is late", async () => {
    let finish: (text: Buffer) => void = () => {};
    const late = new Promise<Buffer>((resolve) => (finish = resolve));
    const texts = [late, ...Array.from({ length: 20 }, (_, i) => Buffer.from(String(i)))];
    const scene = createScene(texts);
    scene.updates();
    assert.deepEqual([scene.frames, scene.taken], [[], 16]);
    finish(Buffer.from('"late"'));
    await turn();
    assert.deepEqual(
      scene.frames.flatMap(payloadsOf),
      [Buffer.from('"late"'), ...texts.slice(1)].map((text) => message(text as Buffer)),
    );
  });

  it("creates few late texts at once, and writes none to a peer that does not read", async () => {
    const finishers: ((text: Buffer) => void)[] = [];
    const texts = Array.from(
      { length: 10 },
      () => new Promise<Buffer>((resolve) => finishers.push(resolve)),
    );
    const scene = createScene(texts, false);
    assert.deepEqual([scene.taken, scene.frames.length], [4, 0]);
    const text = ofLength(100_000);
    for (const finish of finishers) finish(text);
    await turn();
    assert.deepEqual([scene.taken, scene.frames.length], [4, 1]);
    for (const [taken, frames] of [
      [4, 2],
      [4, 3],
      [4, 4],
      [5, 5],
    ] as const) {
      scene.read();
      await turn();
      assert.deepEqual([scene.taken, scene.frames.length], [taken, frames]);
    }
    assert.deepEqual(
      scene.frames.flatMap(payloadsOf),
      Array.from({ length: 5 }, () => message(text)),
    );
  });

  it("creates more late texts at once when they are short", async () => {
    const scene = createScene(
      Array.from({ length: 40 }, (_, i) => Promise.resolve(ofLength(100 + i))),
    );
    assert.deepEqual([scene.taken, scene.frames.length], [4, 0]);
    await turn();
    await turn();
    assert.deepEqual(
      scene.frames.map((frames) => payloadsOf(frames).length),
      [4, 16, 16, 4],
    );
  });

  it("writes no late text after its end", async () => {
    let finish: (text: Buffer) => void = () => {};
    const scene = createScene([new Promise<Buffer>((resolve) => (finish = resolve))]);
    await scene.stream.return?.();
    finish(Buffer.from("1"));
    await turn();
    assert.deepEqual([scene.frames, scene.left], [[], 1]);
  });

  it("ends when its subscription ends", async () => {
    const scene = createScene([Buffer.from("1")]);
    assert.equal(await Promise.race([scene.ended, turn("open")]), "open");
    scene.over = true;
    scene.updates();
    assert.deepEqual([await scene.ended, scene.left], [{ done: true, value: undefined }, 1]);
  });
});
