import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMessageRate } from "../../../../src/server/graphql/websocket/message-rate.js";

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
