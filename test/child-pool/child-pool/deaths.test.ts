import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../support/runner/eventually.js";
import { processAlive } from "../process-alive.js";
import { answer, ask, begin, createTestPools, stopped } from "./test-pools.js";

const LINUX =
  process.platform === "linux" ? false : "only Linux has memory limits and parent-death signals";
const { makePool, logged } = createTestPools();

describe("a child that dies", () => {
  it("fails only its own task, and is replaced", async () => {
    const pool = makePool({ size: 2 });
    const abort = new AbortController();
    const neighbour = await begin(pool, { do: "wait" }, { signal: abort.signal });
    await assert.rejects(
      ask(pool, { do: "die", signal: "SIGSEGV" }),
      stopped("crashed", /^The child process died by SIGSEGV\.$/),
    );
    assert.equal((await ask(pool, answer)).value, 1);
    assert(processAlive(neighbour.pid));
    abort.abort();
    await neighbour.ended;
  });

  it("is reported with its exit code, and logged", async () => {
    await assert.rejects(
      ask(makePool(), { do: "exit", code: 3 }),
      stopped("crashed", /exited with code 3/),
    );
    assert(logged.some((line) => JSON.parse(line).level === 40 && /exited with code 3/.test(line)));
  });

  it("is reported as killed when another process killed it", async () => {
    await assert.rejects(
      ask(makePool(), { do: "die", signal: "SIGKILL" }),
      stopped("killed", /killed by another process/),
    );
  });

  it("fails no task when it dies while idle", async () => {
    const pool = makePool();
    const { pid } = await ask(pool, answer);
    process.kill(pid, "SIGKILL");
    assert.equal((await ask(pool, answer)).value, 1);
  });
});

describe("a memory limit", { skip: LINUX }, () => {
  it("fails a task that needs too much native memory", async () => {
    const pool = makePool({ memoryLimitBytes: 500_000_000 });
    const failure = await ask(pool, { do: "fill memory" }).catch((error: unknown) => error);
    assert(failure instanceof Error);
    assert.match(failure.message, /memory|allocation failed/i);
    assert.equal((await ask(pool, answer)).value, 1);
  });

  it("is the reported reason when JavaScript's heap exceeds it", async () => {
    const pool = makePool({ memoryLimitBytes: 300_000_000 });
    await assert.rejects(
      ask(pool, { do: "exhaust heap" }),
      stopped("memory", /reached its memory limit/),
    );
  });
});

describe("a parent that is killed", { skip: LINUX }, () => {
  it("leaves no child behind, not even one that computes without a pause", async (t) => {
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
