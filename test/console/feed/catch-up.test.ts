import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCatchUpWatch } from "../../../src/console/feed/catch-up.js";

const event = (cursor: string, id: string, version: number, type = "STARTED") => ({
  cursor,
  type,
  queuedJob: { id, version },
});

function watchAt(cursor: string, ...told: ReturnType<typeof event>[]) {
  const watch = createCatchUpWatch();
  watch.startAt(cursor);
  for (const one of told) assert.equal(watch.told(one), null);
  watch.resumed(2000);
  return watch;
}

describe("what a cut did to a stream", () => {
  it("is told once the event at which the stream stood has come", () => {
    const watch = watchAt("0", event("1", "a", 1));
    assert.equal(watch.target("3"), null);
    assert.equal(watch.told(event("2", "a", 2)), null);
    assert.deepEqual(watch.told(event("3", "a", 3)), {
      awayMs: 2000,
      missed: 2,
      lost: 0,
      repeated: 0,
    });
  });

  it("is told, too, where events come before it is known where the stream stood", () => {
    const watch = watchAt("0");
    for (const n of [1, 2, 3]) assert.equal(watch.told(event(String(n), "a", n)), null);
    assert.deepEqual(watch.target("2"), { awayMs: 2000, missed: 2, lost: 0, repeated: 0 });
  });

  it("is nothing where the stream stands where it stood, even before its first event", () => {
    assert.deepEqual(watchAt("7").target("7"), { awayMs: 2000, missed: 0, lost: 0, repeated: 0 });
    assert.deepEqual(watchAt("0", event("1", "a", 1)).target("1"), {
      awayMs: 2000,
      missed: 0,
      lost: 0,
      repeated: 0,
    });
  });

  it("counts steps that a version jumps over, and those that come again", () => {
    const watch = watchAt("0", event("1", "a", 1), event("2", "b", 1));
    watch.target("5");
    watch.told(event("3", "a", 4));
    watch.told(event("4", "b", 1));
    assert.deepEqual(watch.told(event("5", "c", 1)), {
      awayMs: 2000,
      missed: 3,
      lost: 2,
      repeated: 1,
    });
  });

  it("does not count progress, which has the cursor of the step before it", () => {
    const watch = watchAt("0", event("1", "a", 2));
    watch.told(event("1", "a", 2, "PROGRESS"));
    watch.target("2");
    assert.deepEqual(watch.told(event("2", "a", 3)), {
      awayMs: 2000,
      missed: 1,
      lost: 0,
      repeated: 0,
    });
  });

  it("is told of every cut anew", () => {
    const watch = watchAt("0");
    watch.target("1");
    watch.told(event("1", "a", 1));
    watch.resumed(500);
    assert.deepEqual(watch.target("1"), { awayMs: 500, missed: 0, lost: 0, repeated: 0 });
  });
});
