import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCatchUpWatch } from "../../../src/console/feed/catch-up.js";

const event = (cursor: string, id: string, version: number, type = "STARTED") => ({
  cursor,
  type,
  queuedJob: { id, version },
});

function watchAt(cursor: string, ...events: ReturnType<typeof event>[]) {
  const watch = createCatchUpWatch();
  watch.startAt(cursor);
  for (const one of events) assert.equal(watch.receive(one), null);
  watch.resumed(2000);
  return watch;
}

describe("the catch-up watch", () => {
  it("returns the result when the event with the target cursor has arrived", () => {
    const watch = watchAt("0", event("1", "a", 1));
    assert.equal(watch.target("3"), null);
    assert.equal(watch.receive(event("2", "a", 2)), null);
    assert.deepEqual(watch.receive(event("3", "a", 3)), {
      awayMs: 2000,
      missed: 2,
      lost: 0,
      repeated: 0,
    });
  });

  it("returns the result when the target arrives after its event", () => {
    const watch = watchAt("0");
    for (const n of [1, 2, 3]) assert.equal(watch.receive(event(String(n), "a", n)), null);
    assert.deepEqual(watch.target("2"), { awayMs: 2000, missed: 2, lost: 0, repeated: 0 });
  });

  it("counts no missed events when the cursor has not moved, also before the first event", () => {
    assert.deepEqual(watchAt("7").target("7"), { awayMs: 2000, missed: 0, lost: 0, repeated: 0 });
    assert.deepEqual(watchAt("0", event("1", "a", 1)).target("1"), {
      awayMs: 2000,
      missed: 0,
      lost: 0,
      repeated: 0,
    });
  });

  it("counts skipped versions as lost, and versions that arrive again as repeated", () => {
    const watch = watchAt("0", event("1", "a", 1), event("2", "b", 1));
    watch.target("5");
    watch.receive(event("3", "a", 4));
    watch.receive(event("4", "b", 1));
    assert.deepEqual(watch.receive(event("5", "c", 1)), {
      awayMs: 2000,
      missed: 3,
      lost: 2,
      repeated: 1,
    });
  });

  it("does not count progress events, which have the cursor of the step before them", () => {
    const watch = watchAt("0", event("1", "a", 2));
    watch.receive(event("1", "a", 2, "PROGRESS"));
    watch.target("2");
    assert.deepEqual(watch.receive(event("2", "a", 3)), {
      awayMs: 2000,
      missed: 1,
      lost: 0,
      repeated: 0,
    });
  });

  it("returns a result for each lost connection", () => {
    const watch = watchAt("0");
    watch.target("1");
    watch.receive(event("1", "a", 1));
    watch.resumed(500);
    assert.deepEqual(watch.target("1"), { awayMs: 500, missed: 0, lost: 0, repeated: 0 });
  });
});
