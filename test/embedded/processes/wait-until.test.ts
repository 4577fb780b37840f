import assert from "node:assert/strict";
import { test } from "node:test";
import { waitUntil } from "../../../src/embedded/processes/wait-until.js";

test("returns the first truthy answer", async () => {
  let calls = 0;
  assert.equal(
    await waitUntil(async () => (calls += 1) === 3 && "yes", { deadlineMs: 5_000, everyMs: 1 }),
    "yes",
  );
  assert.equal(calls, 3);
});

test("returns undefined at the deadline, after at least one call", async () => {
  let calls = 0;
  assert.equal(await waitUntil(() => (calls += 1) < 0, { deadlineMs: 0 }), undefined);
  assert.equal(calls, 1);
});

test("throws when the signal is aborted", async () => {
  await assert.rejects(
    waitUntil(() => false, { deadlineMs: 5_000, signal: AbortSignal.abort(new Error("closing")) }),
    { message: "closing" },
  );
});
