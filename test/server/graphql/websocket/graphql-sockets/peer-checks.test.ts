import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocket } from "ws";
import {
  createKeepAlive,
  createMessageRate,
} from "../../../../../src/server/graphql/websocket/graphql-sockets.js";
import { eventually } from "../../../../support/runner/eventually.js";
import { openSocketPair } from "../../../../support/clients/socket-pair.js";

describe("keeping a socket alive", () => {
  it("pings, and leaves the socket of a peer that answers open", async (t) => {
    const { ours, theirs, close } = await openSocketPair();
    t.after(close);
    let pings = 0;
    theirs.on("ping", () => pings++);
    // On a busy machine an answer takes its time.
    const keepAlive = createKeepAlive(300);
    t.after(() => keepAlive.stop());
    keepAlive.watch(ours);
    await eventually("it was pinged more than once", () => pings > 1);
    assert.equal(ours.readyState, WebSocket.OPEN);
  });

  it("cuts off a peer that answers no ping", async (t) => {
    const { ours, theirs, close } = await openSocketPair({ autoPong: false });
    t.after(close);
    let pings = 0;
    theirs.on("ping", () => pings++);
    let ended: number | null = null;
    ours.once("close", (code) => (ended = code));
    const keepAlive = createKeepAlive(50);
    t.after(() => keepAlive.stop());
    keepAlive.watch(ours);
    await eventually("it is cut off", () => ended !== null);
    assert.deepEqual([ended, pings], [1006, 1]);
  });
});

describe("the rate of a socket's messages", () => {
  it("is 300 at once and 30 a second after that, and no pause earns more", () => {
    let nowMs = 0;
    const mayTell = createMessageRate(() => nowMs);
    const told = (tries: number) => Array.from({ length: tries }, mayTell).filter(Boolean).length;
    assert.equal(told(1000), 300);
    nowMs += 1000;
    assert.equal(told(1000), 30);
    nowMs += 3_600_000;
    assert.equal(told(1000), 300);
    nowMs -= 5000;
    assert.equal(told(10), 0, "a clock that is set back earns nothing");
  });
});
