import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { processAlive } from "../process-alive.js";
import { answer, ask, begin, createTestPools, stopped } from "./test-pools.js";

const { makePool } = createTestPools();

describe("stopping", () => {
  it("ends a task that obeys at once, and keeps the child", async () => {
    const pool = makePool();
    const abort = new AbortController();
    const { pid, ended } = await begin(pool, { do: "wait" }, { signal: abort.signal });
    abort.abort(new Error("changed my mind"));
    const error = await ended;
    assert(
      stopped("aborted", /aborted/)(error) &&
        ((error as Error).cause as Error).message === "changed my mind",
    );
    assert.equal((await ask(pool, answer)).pid, pid);
  });

  it("kills a task that does not react within the grace time", async () => {
    const pool = makePool({ graceMs: 200 });
    const abort = new AbortController();
    const { pid, ended } = await begin(pool, { do: "spin" }, { signal: abort.signal });
    const began = Date.now();
    abort.abort();
    stopped("aborted", /aborted/)(await ended);
    const took = Date.now() - began;
    assert(took >= 195 && took < 2000, `${took} ms`);
    assert(!processAlive(pid));
    assert.notEqual((await ask(pool, answer)).pid, pid);
  });

  it("removes a waiting task from the queue without affecting a child", async () => {
    const pool = makePool();
    const { ended } = await begin(pool, { do: "wait" }, { timeoutMs: 60_000 });
    const abort = new AbortController();
    const waiting = ask(pool, answer, { signal: abort.signal });
    abort.abort();
    await assert.rejects(waiting, stopped("aborted", /before it started/));
    assert.deepEqual([pool.running, pool.waiting], [1, 0]);
    await pool.close();
    stopped("closed", /stopping/)(await ended);
  });

  it("rejects a task at once when its signal is already aborted", async () => {
    await assert.rejects(
      ask(makePool(), answer, { signal: AbortSignal.abort() }),
      stopped("aborted", /before it started/),
    );
  });

  it("kills a task that exceeds its time limit", async () => {
    const pool = makePool({ graceMs: 50 });
    const { pid, ended } = await begin(pool, { do: "spin" }, { timeoutMs: 300 });
    stopped("timeout", /longer than 300 ms/)(await ended);
    assert(!processAlive(pid));
  });

  it("counts the time from when a child takes the task, without the wait", async () => {
    const pool = makePool({ graceMs: 50 });
    const long = ask(pool, { do: "spin" }, { timeoutMs: 600 });
    const short = ask(pool, answer, { timeoutMs: 300 });
    await assert.rejects(long, stopped("timeout", /longer than 600 ms/));
    assert.equal((await short).value, 1);
  });

  it("leaves no child and no unsettled task when the pool is closed", async () => {
    const pool = makePool({ graceMs: 100 });
    const { pid, ended } = await begin(pool, { do: "spin" });
    const waiting = ask(pool, answer);
    const refused = assert.rejects(waiting, stopped("closed", /not started/));
    await pool.close();
    await refused;
    stopped("closed", /stopping/)(await ended);
    assert(!processAlive(pid));
    await assert.rejects(ask(pool, answer), stopped("closed", /not started/));
  });
});
