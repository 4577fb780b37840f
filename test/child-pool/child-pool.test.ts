import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  PermanentTaskError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  TaskFailedError,
} from "../../src/domain/errors.js";
import {
  createChildPool,
  type ChildPool,
  type ChildPoolOptions,
} from "../../src/child-pool/child-pool.js";
import { ChildStoppedError, type ChildStopReason } from "../../src/child-pool/exit-reason.js";
import { createLoggerTo } from "../../src/runtime/logger.js";
import { eventually } from "../support/runner/eventually.js";
import { processAlive } from "./process-alive.js";
import type { TestRequest } from "./unruly-child.js";

const LINUX =
  process.platform === "linux" ? false : "memory caps and parent-death signals exist on Linux only";
const pools: ChildPool[] = [];
const logged: string[] = [];

function makePool(options: Partial<ChildPoolOptions> = {}): ChildPool {
  const entry = new URL("unruly-child.js", import.meta.url);
  const pool = createChildPool({
    entry,
    size: 1,
    memoryLimitBytes: 1_500_000_000,
    log: createLoggerTo({ write: (line) => void logged.push(line) }),
    ...options,
  });
  pools.push(pool);
  return pool;
}

interface Answer {
  value: unknown;
  pid: number;
}

function ask(
  pool: ChildPool,
  request: TestRequest,
  options: Partial<Parameters<ChildPool["run"]>[1]> = {},
): Promise<Answer> {
  return pool.run(request, { timeoutMs: 30_000, ...options }) as Promise<Answer>;
}

const answer: TestRequest = { do: "answer", value: 1 };

/** Runs a request that does not end by itself, and gives the id of the process that is at it. */
async function begin(
  pool: ChildPool,
  request: TestRequest,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
) {
  let pid = 0;
  const onProgress = (_fraction: number, message = "") =>
    void (pid = Number(message.replace("pid ", "")));
  const ended = ask(pool, request, { ...options, onProgress }).catch((error: unknown) => error);
  await eventually("the child has begun", () => pid > 0);
  return { pid, ended };
}

function stopped(reason: ChildStopReason, message: RegExp) {
  return (error: unknown) => {
    assert(error instanceof ChildStoppedError, String(error));
    assert.equal(error.reason, reason);
    assert.match(error.message, message);
    return true;
  };
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  logged.length = 0;
});

describe("a child pool", () => {
  it("answers, and keeps the child warm for the next one", async () => {
    const pool = makePool();
    const first = await ask(pool, { do: "answer", value: { deep: [1, "ü", null] } });
    assert.deepEqual(first.value, { deep: [1, "ü", null] });
    assert.equal((await ask(pool, answer)).pid, first.pid);
  });

  it("starts no child before there is work, and all of them when told to warm up", async () => {
    const pool = makePool({ size: 2 });
    assert.deepEqual([pool.running, pool.waiting], [0, 0]);
    await pool.warm();
    const pids = await Promise.all([ask(pool, answer), ask(pool, answer)]);
    assert.notEqual(pids[0].pid, pids[1].pid);
  });

  it("gives each child one task at a time, first come first served", async () => {
    const pool = makePool();
    const abort = new AbortController();
    const { ended } = await begin(pool, { do: "wait" }, { signal: abort.signal });
    const order: number[] = [];
    const later = [1, 2, 3].map(async (value) =>
      order.push((await ask(pool, { do: "answer", value })).value as number),
    );
    assert.deepEqual([pool.running, pool.waiting], [1, 3]);
    abort.abort();
    await Promise.all([ended, ...later]);
    assert.deepEqual(order, [1, 2, 3]);
    assert.deepEqual([pool.running, pool.waiting], [0, 0]);
  });

  it("passes progress on in order", async () => {
    const told: [number, string | undefined][] = [];
    await ask(
      makePool(),
      { do: "tell", fractions: [0.25, 0.5, 1] },
      { onProgress: (fraction, message) => told.push([fraction, message]) },
    );
    assert.deepEqual(told.slice(1), [
      [0.25, "at 0.25"],
      [0.5, "at 0.5"],
      [1, "at 1"],
    ]);
  });

  it(
    "carries the errors that a caller may be told with class, code and message, and the " +
      "child lives on",
    async () => {
      const pool = makePool();
      const { pid } = await ask(pool, answer);
      await assert.rejects(
        ask(pool, { do: "fail", how: "unreadable" }),
        (error) =>
          error instanceof PhotoUnreadableError &&
          error.message === "It is torn." &&
          error.code === "PHOTO_UNREADABLE",
      );
      await assert.rejects(
        ask(pool, { do: "fail", how: "too large" }),
        (error) => error instanceof PhotoTooLargeError && error.message === "It is huge.",
      );
      await assert.rejects(
        ask(pool, { do: "fail", how: "failed" }),
        (error) => error instanceof TaskFailedError && error.message === "Not this time.",
      );
      await assert.rejects(
        ask(pool, { do: "fail", how: "permanent" }),
        (error) =>
          error instanceof PermanentTaskError &&
          error.code === "NO_INK" &&
          error.message === "There is no ink.",
      );
      await assert.rejects(
        ask(pool, { do: "fail", how: "plain" }),
        (error) =>
          error instanceof Error &&
          error.constructor === Error &&
          error.message === "It is a bug." &&
          /unruly-child/.test(error.stack ?? ""),
      );
      assert.equal((await ask(pool, answer)).pid, pid);
    },
  );

  it("gives children an environment of their own, without what the parent knows", async () => {
    process.env["A_SECRET_OF_THE_PARENT"] = "hush";
    const { names } = (await ask(makePool(), { do: "environment" })) as unknown as {
      names: string[];
    };
    delete process.env["A_SECRET_OF_THE_PARENT"];
    assert(names.includes("MALLOC_ARENA_MAX"));
    assert.deepEqual(
      names.filter((name) => /SECRET|DATABASE|REDIS|KEY|TOKEN|HOME|USER/.test(name)),
      [],
    );
  });

  it("keeps its children through the signals that a terminal or a service manager sends to all", async () => {
    const pool = makePool();
    const { pid } = await ask(pool, answer);
    process.kill(pid, "SIGINT");
    process.kill(pid, "SIGTERM");
    assert.equal((await ask(pool, answer)).pid, pid);
  });

  it("replaces a child after its number of tasks", async () => {
    const pool = makePool({ recycleAfterTasks: 2 });
    const pids: number[] = [];
    for (let task = 0; task < 5; task++) pids.push((await ask(pool, answer)).pid);
    assert.deepEqual(
      [pids[0] === pids[1], pids[1] === pids[2], pids[2] === pids[3], pids[3] === pids[4]],
      [true, false, true, false],
    );
    await eventually("the first is gone", () => !processAlive(pids[0] ?? 0));
  });

  it("replaces a child that a task leaves with too much memory", async () => {
    const pool = makePool({ recycleAboveBytes: 1 });
    const first = await ask(pool, answer);
    assert.notEqual((await ask(pool, answer)).pid, first.pid);
  });
});

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

describe("stopping", () => {
  it("ends a task that hears at once, and keeps the child", async () => {
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

  it("kills a task that does not hear, after the grace time", async () => {
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

  it("takes a waiting task out of the line without touching a child", async () => {
    const pool = makePool();
    const { ended } = await begin(pool, { do: "wait" }, { timeoutMs: 60_000 });
    const abort = new AbortController();
    const waiting = ask(pool, answer, { signal: abort.signal });
    abort.abort();
    await assert.rejects(waiting, stopped("aborted", /before it began/));
    assert.deepEqual([pool.running, pool.waiting], [1, 0]);
    await pool.close();
    stopped("closed", /stopping/)(await ended);
  });

  it("refuses at once what is aborted already", async () => {
    await assert.rejects(
      ask(makePool(), answer, { signal: AbortSignal.abort() }),
      stopped("aborted", /before it began/),
    );
  });

  it("kills a task that takes longer than allowed", async () => {
    const pool = makePool({ graceMs: 50 });
    const { pid, ended } = await begin(pool, { do: "spin" }, { timeoutMs: 300 });
    stopped("timeout", /longer than 300 ms/)(await ended);
    assert(!processAlive(pid));
  });

  it("counts the time from when a child takes the task, not while it waits", async () => {
    const pool = makePool({ graceMs: 50 });
    const long = ask(pool, { do: "spin" }, { timeoutMs: 600 });
    const short = ask(pool, answer, { timeoutMs: 300 });
    await assert.rejects(long, stopped("timeout", /longer than 600 ms/));
    assert.equal((await short).value, 1);
  });

  it("leaves no child and no unanswered task behind when the pool is closed", async () => {
    const pool = makePool({ graceMs: 100 });
    const { pid, ended } = await begin(pool, { do: "spin" });
    const waiting = ask(pool, answer);
    const refused = assert.rejects(waiting, stopped("closed", /not begun/));
    await pool.close();
    await refused;
    stopped("closed", /stopping/)(await ended);
    assert(!processAlive(pid));
    await assert.rejects(ask(pool, answer), stopped("closed", /not begun/));
  });
});

describe("a parent that is killed", { skip: LINUX }, () => {
  it("leaves no child behind, not even one whose JavaScript never pauses", async (t) => {
    const entry = fileURLToPath(new URL("pool-owner.js", import.meta.url));
    const owner = spawn(process.execPath, [entry], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => owner.kill("SIGKILL"));
    const [line] = (await once(owner.stdout, "data")) as [Buffer];
    const pids = JSON.parse(String(line)) as number[];
    assert.deepEqual(pids.map(processAlive), [true, true]);
    owner.kill("SIGKILL");
    await eventually("both children are gone", () => !pids.some(processAlive));
  });
});
