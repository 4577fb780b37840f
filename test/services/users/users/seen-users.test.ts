import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSeenUsers, type User } from "../../../../src/services/users/users.js";

describe("the cache of recently seen users", () => {
  let now = 1_000_000;
  const create = () => createSeenUsers({ now: () => now });
  const ann = userOf("ann");

  it("keeps a user for a minute", () => {
    const seen = create();
    seen.set("k", ann, now);
    now += 59_999;
    assert.equal(seen.get("k"), ann);
    now += 1;
    assert.equal(seen.get("k"), undefined);
  });

  it("keeps a refusal too", () => {
    const seen = create();
    seen.set("k", null, now);
    assert.equal(seen.get("k"), null);
  });

  it("forgets a user under all of their tokens, and keeps the others", () => {
    const seen = create();
    for (const key of ["a1", "a2", "a3"]) seen.set(key, ann, now);
    seen.set("a1", ann, now);
    seen.set("b", userOf("bob"), now);
    seen.forget("ann");
    assert.deepEqual(
      ["a1", "a2", "a3"].map((key) => seen.get(key)),
      [undefined, undefined, undefined],
    );
    assert.equal(seen.get("b")?.id, "bob");
    seen.set("a1", ann, now);
    assert.equal(seen.get("a1"), ann);
  });

  it("forgets a user without a scan of thousands of others", () => {
    const seen = create();
    for (let i = 0; i < 20_000; i++) seen.set(`key ${i}`, userOf(`user ${i}`), now);
    const startedAt = performance.now();
    for (let i = 0; i < 1000; i++) seen.forget(`user ${i}`);
    assert.ok(
      performance.now() - startedAt < 100,
      `1,000 took ${performance.now() - startedAt} ms`,
    );
    assert.deepEqual([seen.get("key 999"), seen.get("key 1000")?.id], [undefined, "user 1000"]);
  });

  it("expires all users within ten seconds after a missed notification, a part at a time", () => {
    const seen = create();
    for (let i = 0; i < 1000; i++) seen.set(`key ${i}`, userOf(`user ${i}`), now);
    now += 1;
    seen.distrustAll();
    const known: number[] = [];
    for (let second = 0; second <= 10; second++) {
      known.push(
        Array.from({ length: 1000 }, (_, i) => seen.get(`key ${i}`)).filter(Boolean).length,
      );
      now += 1000;
    }
    assert.ok((known[0] ?? 0) > 990, `${known}`);
    assert.ok((known[5] ?? 0) > 300 && (known[5] ?? 0) < 700, `${known}`);
    assert.equal(known[10], 0);
  });

  it("expires users in time however often notifications are missed", () => {
    const seen = create();
    seen.set("k", ann, now);
    for (let misses = 0; misses < 11; misses++) {
      seen.distrustAll();
      now += 1000;
    }
    assert.equal(seen.get("k"), undefined);
  });

  it("keeps users read after a missed notification, but expires those read at that moment", () => {
    const seen = create();
    const readAt = now;
    now += 5;
    seen.distrustAll();
    now += 5;
    seen.set("before", ann, readAt);
    seen.set("after", ann, now);
    now += 10_000;
    assert.deepEqual([seen.get("before"), seen.get("after")], [undefined, ann]);
  });
});

function userOf(id: string): User {
  const createdAt = new Date(0);
  return { id, email: `${id}@example.com`, name: id, picture: null, role: "USER", createdAt };
}
