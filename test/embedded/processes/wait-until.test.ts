import assert from "node:assert/strict";
import { test } from "node:test";
import { waitUntil } from "../../../src/embedded/processes/wait-until.js";

test("gives the first answer that is one", async () => {
  let asked = 0;
  assert.equal(
    await waitUntil(async () => (asked += 1) === 3 && "yes", { deadlineMs: 5_000, everyMs: 1 }),
    "yes",
  );
  assert.equal(asked, 3);
});

test("gives up at the deadline, having asked at least once", async () => {
  let asked = 0;
  assert.equal(await waitUntil(() => (asked += 1) < 0, { deadlineMs: 0 }), undefined);
  assert.equal(asked, 1);
});

test("throws when there is no more use in waiting", async () => {
  await assert.rejects(
    waitUntil(() => false, { deadlineMs: 5_000, signal: AbortSignal.abort(new Error("closing")) }),
    { message: "closing" },
  );
});
