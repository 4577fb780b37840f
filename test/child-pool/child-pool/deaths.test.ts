// Children and parents that die.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../support/runner/eventually.js";
import { processAlive } from "../process-alive.js";
import { answer, ask, begin, createTestPools, stopped } from "./test-pools.js";

const LINUX =
  process.platform === "linux" ? false : "memory caps and parent-death signals exist on Linux only";
const { makePool, logged } = createTestPools();

describe("a child that dies", () => {
  it("costs its own task, not its neighbour's, and is replaced", async () => {
    const pool = makePool({ size: 2 });
    const abort = new AbortController();
    const neighbour = await begin(pool, { do: "wait" }, { signal: abort.signal });
    await assert.rejects(
      ask(pool, { do: "die", signal: "SIGSEGV" }),
      stopped("crashed", /^The child process died of SIGSEGV\.$/),
    );
    assert.equal((await ask(pool, answer)).value, 1);
    assert(processAlive(neighbour.pid));
    abort.abort();
    await neighbour.ended;
  });

  it("says with which code it ended and what it said last", async () => {
    await assert.rejects(
      ask(makePool(), { do: "exit", code: 3 }),
      stopped("crashed", /exited with code 3/),
    );
    assert(logged.some((line) => JSON.parse(line).level === 40 && /exited with code 3/.test(line)));
  });

  it("is told apart when it was killed from outside", async () => {
    await assert.rejects(
      ask(makePool(), { do: "die", signal: "SIGKILL" }),
      stopped("killed", /killed from outside/),
    );
  });

  it("costs nothing when it dies while it is idle", async () => {
    const pool = makePool();
    const { pid } = await ask(pool, answer);
    process.kill(pid, "SIGKILL");
    assert.equal((await ask(pool, answer)).value, 1);
  });
});

describe("a memory limit", { skip: LINUX }, () => {
  it("fails a task that takes too much native memory", async () => {
    const pool = makePool({ memoryLimitBytes: 500_000_000 });
    const failure = await ask(pool, { do: "fill memory" }).catch((error: unknown) => error);
    assert(failure instanceof Error);
    assert.match(failure.message, /memory|allocation failed/i);
    assert.equal((await ask(pool, answer)).value, 1);
  });

  it("is named when JavaScript's own heap breaks it", async () => {
    const pool = makePool({ memoryLimitBytes: 300_000_000 });
    await assert.rejects(
      ask(pool, { do: "exhaust heap" }),
      stopped("memory", /ran out of its memory limit/),
    );
  });
});

describe("a parent that is killed", { skip: LINUX }, () => {
  it("leaves no child behind, not even one whose JavaScript never pauses", async (t) => {
    const entry = fileURLToPath(new URL("../pool-owner.js", import.meta.url));
    const owner = spawn(process.execPath, [entry], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => owner.kill("SIGKILL"));
    const [line] = (await once(owner.stdout, "data")) as [Buffer];
    const pids = JSON.parse(String(line)) as number[];
    assert.deepEqual(pids.map(processAlive), [true, true]);
    owner.kill("SIGKILL");
    await eventually("both children are gone", () => !pids.some(processAlive));
  });
});
