import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocket } from "ws";
import {
  createKeepAlive,
  createMessageRate,
} from "../../../../../src/server/graphql/websocket/graphql-sockets.js";
import { eventually } from "../../../../support/runner/eventually.js";
import { openSocketPair } from "../../../../support/clients/socket-pair.js";

describe("the keep-alive of a socket", () => {
  it("sends pings, and keeps the socket of an answering peer open", async (t) => {
    const { ours, theirs, close } = await openSocketPair();
    t.after(close);
    let pings = 0;
    theirs.on("ping", () => pings++);
    // On a busy machine, an answer takes longer.
    const keepAlive = createKeepAlive(300);
    t.after(() => keepAlive.stop());
    keepAlive.watch(ours);
    await eventually("it was pinged more than once", () => pings > 1);
    assert.equal(ours.readyState, WebSocket.OPEN);
  });

  it("disconnects a peer that answers no ping", async (t) => {
    const { ours, theirs, close } = await openSocketPair({ autoPong: false });
    t.after(close);
    let pings = 0;
    theirs.on("ping", () => pings++);
    let ended: number | null = null;
    ours.once("close", (code) => (ended = code));
    const keepAlive = createKeepAlive(50);
    t.after(() => keepAlive.stop());
    keepAlive.watch(ours);
    await eventually("it is disconnected", () => ended !== null);
    assert.deepEqual([ended, pings], [1006, 1]);
  });
});

describe("the message rate of a socket", () => {
  it("is limited to 300 at once and then 30 per second, also after a long pause", () => {
    let nowMs = 0;
    const takeToken = createMessageRate(() => nowMs);
    const allowed = (tries: number) =>
      Array.from({ length: tries }, takeToken).filter(Boolean).length;
    assert.equal(allowed(1000), 300);
    nowMs += 1000;
    assert.equal(allowed(1000), 30);
    nowMs += 3_600_000;
    assert.equal(allowed(1000), 300);
    nowMs -= 5000;
    assert.equal(allowed(10), 0, "setting the clock back adds no tokens");
  });
});
