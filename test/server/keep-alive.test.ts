import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocket } from "ws";
import { keepAlive } from "../../src/server/keep-alive.js";
import { eventually } from "../support/eventually.js";
import { openSocketPair } from "../support/socket-pair.js";

describe("keeping a socket alive", () => {
  it("pings, and leaves the socket of a peer that answers open", async () => {
    const { ours, theirs, close } = await openSocketPair();
    let pings = 0;
    theirs.on("ping", () => pings++);
    keepAlive(ours, 20);
    await eventually("it was pinged often", () => pings > 4);
    assert.equal(ours.readyState, WebSocket.OPEN);
    await close();
  });

  it("cuts off a peer that answers no ping", async () => {
    const { ours, theirs, close } = await openSocketPair({ autoPong: false });
    let pings = 0;
    theirs.on("ping", () => pings++);
    const ended = new Promise((resolve) => ours.once("close", resolve));
    keepAlive(ours, 20);
    assert.equal(await ended, 1006);
    assert.equal(pings, 1);
    await close();
  });
});
