import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { createSocketWriter } from "../../src/server/socket-writer.js";
import { eventually } from "../support/eventually.js";
import { silentLog } from "../support/silent-log.js";

/** Both ends of a socket on this machine. */
async function openPair(): Promise<{ ours: WebSocket; theirs: WebSocket; close(): Promise<void> }> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const theirs = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [[ours]] = await Promise.all([once(server, "connection"), once(theirs, "open")]);
  return {
    ours: ours as WebSocket,
    theirs,
    async close() {
      theirs.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("a socket's writer", () => {
  it("resolves when the frame has left, in the order in which they came", async () => {
    const { ours, theirs, close } = await openPair();
    const heard: string[] = [];
    theirs.on("message", (data) => heard.push(String(data)));
    const write = createSocketWriter(ours, silentLog);
    await Promise.all(["a", "b", "c"].map(write));
    await eventually("all are heard", () => heard.length === 3);
    assert.deepEqual(heard, ["a", "b", "c"]);
    await close();
  });

  it("cuts a peer off that does not read, before more than a few megabytes wait for it", async () => {
    const { ours, theirs, close } = await openPair();
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

  it("writes nothing to a socket that is closed, and fails nobody for it", async () => {
    const { ours, close } = await openPair();
    ours.terminate();
    await createSocketWriter(ours, silentLog)("late");
    await close();
  });
});
