import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocket } from "ws";
import { SocketWriter } from "../../../../src/server/graphql/websocket/socket-writer.js";
import { eventually } from "../../../support/runner/eventually.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { openSocketPair } from "../../../support/clients/socket-pair.js";

/** Creates a frame like a server. */
function frameOf(text: string): Buffer {
  return Buffer.concat([
    Buffer.of(
      0x81,
      ...(text.length < 126 ? [text.length] : [126, text.length >> 8, text.length & 255]),
    ),
    Buffer.from(text),
  ]);
}

describe("a socket's writer", () => {
  it("sends frames in order and resolves when they were written", async () => {
    const { ours, stream, theirs, close } = await openSocketPair();
    const received: string[] = [];
    theirs.on("message", (data) => received.push(String(data)));
    const writer = new SocketWriter(ours, stream, () => silentLog);
    await Promise.all(["a", "b", "c"].map((text) => writer.send(text)));
    await eventually("all are received", () => received.length === 3);
    assert.deepEqual(received, ["a", "b", "c"]);
    await close();
  });

  it("disconnects a peer that does not read before a few megabytes are buffered", async () => {
    const { ours, stream, theirs, close } = await openSocketPair();
    theirs.pause();
    const writer = new SocketWriter(ours, stream, () => silentLog);
    const frame = "x".repeat(64 * 1024);
    let written = 0;
    while (ours.readyState === WebSocket.OPEN && written < 1000) {
      written++;
      writer.send(frame).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(written < 1000, "it was not disconnected");
    assert.ok(ours.bufferedAmount < 2 * 1024 * 1024, `${ours.bufferedAmount} bytes wait`);
    await eventually(
      "it is closed, although the peer does not read the close",
      () => ours.readyState === WebSocket.CLOSED,
    );
    await close();
  });

  it("disconnects a peer that reads a frame too late, although little is buffered", async () => {
    const { ours, stream, theirs, close } = await openSocketPair();
    theirs.pause();
    const logged: object[] = [];
    const log = {
      ...silentLog,
      info: (fields: object) => void logged.push(fields),
    } as unknown as typeof silentLog;
    const writer = new SocketWriter(ours, stream, () => log, 100);
    // Fill the buffers of the kernel first.
    while (ours.bufferedAmount === 0) {
      writer.send("x".repeat(64 * 1024)).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(ours.bufferedAmount < 1024 * 1024, `${ours.bufferedAmount} bytes wait`);
    await eventually("it is closed", () => ours.readyState === WebSocket.CLOSED);
    assert.equal((logged[0] as { why?: string }).why, "a frame was not read in time");
    await close();
  });

  it("writes frames between messages, and is free while they are read", async () => {
    const { ours, stream, theirs, close } = await openSocketPair();
    const received: string[] = [];
    theirs.on("message", (data) => received.push(String(data)));
    const writer = new SocketWriter(ours, stream, () => silentLog);
    void writer.send("a");
    writer.write(Buffer.concat([frameOf("b"), frameOf("c".repeat(1000))]));
    void writer.send("d");
    assert.equal(writer.free, true);
    let called = false;
    writer.whenFree(() => (called = true));
    assert.equal(called, true);
    await eventually("all are received", () => received.length === 4);
    assert.deepEqual(received, ["a", "b", "c".repeat(1000), "d"]);
    await close();
  });

  it("is not free while its peer does not read, and calls all listeners afterwards", async () => {
    const { ours, stream, theirs, close } = await openSocketPair();
    theirs.pause();
    const writer = new SocketWriter(ours, stream, () => silentLog);
    while (writer.free) {
      writer.write(frameOf("x".repeat(60_000)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(ours.bufferedAmount < 200_000, `${ours.bufferedAmount} bytes wait`);
    let called = 0;
    for (let i = 0; i < 3; i++) writer.whenFree(() => called++);
    assert.equal(called, 0);
    theirs.resume();
    await eventually("all are called", () => called === 3);
    assert.deepEqual([writer.free, ours.readyState], [true, WebSocket.OPEN]);
    await close();
  });

  it("clears the timeout when the peer has read its frames", async () => {
    const { ours, stream, theirs, close } = await openSocketPair();
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const timersBefore = timers();
    theirs.pause();
    const writer = new SocketWriter(ours, stream, () => silentLog);
    while (writer.free) {
      writer.write(frameOf("x".repeat(60_000)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(timers(), timersBefore + 1);
    const isFree = new Promise<void>((resolve) => writer.whenFree(resolve));
    theirs.resume();
    await isFree;
    assert.equal(timers(), timersBefore);
    await close();
  });

  it("disconnects a peer that reads written frames too late, and calls the listeners", async () => {
    const { ours, stream, theirs, close } = await openSocketPair();
    theirs.pause();
    const writer = new SocketWriter(ours, stream, () => silentLog, 100);
    while (writer.free) {
      writer.write(frameOf("x".repeat(60_000)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    let called = false;
    writer.whenFree(() => (called = true));
    await eventually("it is closed", () => ours.readyState === WebSocket.CLOSED);
    await eventually("the listener is called", () => called);
    await close();
  });

  it("writes nothing to a closed socket, without an error", async () => {
    const { ours, stream, close } = await openSocketPair();
    ours.terminate();
    const writer = new SocketWriter(ours, stream, () => silentLog);
    await writer.send("late");
    writer.write(frameOf("late"));
    assert.equal(writer.free, true);
    await close();
  });
});
