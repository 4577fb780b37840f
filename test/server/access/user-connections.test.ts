import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LEEWAY_SECONDS } from "../../../src/auth/verified-tokens.js";
import { createUserConnections } from "../../../src/server/access/user-connections.js";
import type { User } from "../../../src/services/users/users.js";

const HOUR_SECONDS = 3600;
const sessionOf = (id: string, seconds = HOUR_SECONDS) => ({
  user: { id } as User,
  expiresAt: Date.now() / 1000 + seconds,
});

describe("the connections of a user", () => {
  it("are limited for each user, and a closed one makes room for another", () => {
    const connections = createUserConnections(2);
    const close = () => {};
    const leave = [
      connections.add(sessionOf("a"), close),
      connections.add(sessionOf("a"), close),
      connections.add(sessionOf("b"), close),
    ];
    assert.equal(connections.add(sessionOf("a"), close), null);
    leave[0]?.();
    leave.push(connections.add(sessionOf("a"), close));
    assert.ok(leave.at(-1));
    for (const leaveOne of leave) leaveOne?.();
  });

  it("are closed when the token expires, unless they ended before", (context) => {
    context.mock.timers.enable({
      apis: ["setTimeout", "Date"],
      now: Date.parse("2026-01-01T00:00:00Z"),
    });
    const connections = createUserConnections(2);
    const closed: string[] = [];
    connections.add(sessionOf("a", 10), () => closed.push("held"));
    connections.add(sessionOf("a", 10), () => closed.push("left"))?.();
    context.mock.timers.tick((10 + LEEWAY_SECONDS) * 1000 - 1);
    assert.deepEqual(closed, []);
    context.mock.timers.tick(1);
    assert.deepEqual(closed, ["held"]);
  });

  it("are closed with the user's account, without those of others", () => {
    const connections = createUserConnections(2);
    const closed: string[] = [];
    const leave = ["a", "a", "b"].map((id) =>
      connections.add(sessionOf(id), () => closed.push(id)),
    );
    connections.closeUser("a");
    assert.deepEqual(closed, ["a", "a"]);
    for (const leaveOne of leave) leaveOne?.();
  });
});
