import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocket } from "ws";
import { createSocketWriter } from "../../src/server/socket-writer.js";
import { eventually } from "../support/eventually.js";
import { silentLog } from "../support/silent-log.js";
import { openSocketPair } from "../support/socket-pair.js";

describe("a socket's writer", () => {
  it("resolves when the frame has left, in the order in which they came", async () => {
    const { ours, theirs, close } = await openSocketPair();
    const heard: string[] = [];
    theirs.on("message", (data) => heard.push(String(data)));
    const write = createSocketWriter(ours, silentLog);
    await Promise.all(["a", "b", "c"].map(write));
    await eventually("all are heard", () => heard.length === 3);
    assert.deepEqual(heard, ["a", "b", "c"]);
    await close();
  });

  it("cuts a peer off that does not read, before more than a few megabytes wait for it", async () => {
    const { ours, theirs, close } = await openSocketPair();
    theirs.pause();
    const write = createSocketWriter(ours, silentLog);
    const frame = "x".repeat(64 * 1024);
    let written = 0;
    while (ours.readyState === WebSocket.OPEN && written < 1000) {
      written++;
      write(frame).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(written < 1000, "it was never cut off");
    assert.ok(ours.bufferedAmount < 2 * 1024 * 1024, `${ours.bufferedAmount} bytes wait`);
    await eventually("it is closed, though the close itself is not read", () => ours.readyState === WebSocket.CLOSED);
    await close();
  });

  it("cuts a peer off that takes a frame too late, though little waits for it", async () => {
    const { ours, theirs, close } = await openSocketPair();
    theirs.pause();
    const logged: object[] = [];
    const log = { ...silentLog, info: (fields: object) => void logged.push(fields) } as unknown as typeof silentLog;
    const write = createSocketWriter(ours, log, 100);
    // What the kernel takes has left.
    while (ours.bufferedAmount === 0) {
      write("x".repeat(64 * 1024)).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(ours.bufferedAmount < 1024 * 1024, `${ours.bufferedAmount} bytes wait`);
    await eventually("it is closed", () => ours.readyState === WebSocket.CLOSED);
    assert.equal((logged[0] as { why?: string }).why, "a frame was not taken in time");
    await close();
  });

  it("writes nothing to a socket that is closed, and fails nobody for it", async () => {
    const { ours, close } = await openSocketPair();
    ours.terminate();
    await createSocketWriter(ours, silentLog)("late");
    await close();
  });
});
