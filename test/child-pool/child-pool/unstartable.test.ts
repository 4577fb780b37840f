import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import {
  createChildPool,
  type ChildPool,
  type ChildPoolOptions,
} from "../../../src/child-pool/child-pool.js";
import { ChildStoppedError } from "../../../src/child-pool/exit-reason.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { eventually } from "../../support/runner/eventually.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import type { TestRequest } from "../unruly-child.js";

const temporary = temporaryFolder();
const pools: ChildPool[] = [];
const logged: string[] = [];
const answer: TestRequest = { do: "answer", value: 1 };
const unruly = new URL("../unruly-child.js", import.meta.url).href;

function makePool(options: Partial<ChildPoolOptions> & { entry: URL }): ChildPool {
  const log = createLoggerTo({ write: (line) => void logged.push(line) });
  const pool = createChildPool({ size: 1, memoryLimitBytes: 1_500_000_000, log, ...options });
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

/** Starts a request that ends when `signal` is aborted, and returns the pid of its child. */
async function begin(pool: ChildPool, signal: AbortSignal) {
  let pid = 0;
  const onProgress = (_fraction: number, message = "") =>
    void (pid = Number(message.replace("pid ", "")));
  const ended = ask(pool, { do: "wait" }, { signal, onProgress }).catch((error: unknown) => error);
  await eventually("the child has begun", () => pid > 0);
  return { pid, ended };
}

function unavailable(cause: RegExp) {
  return (error: unknown) => {
    assert(
      error instanceof ServiceUnavailableError && error.cause instanceof ChildStoppedError,
      String(error),
    );
    assert.equal(error.cause.reason, "unstartable");
    assert.match(error.cause.message, cause);
    return true;
  };
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  logged.length = 0;
});

describe("a child that does not become ready", { timeout: 30_000 }, () => {
  it("is killed, and its waiting tasks are rejected as unavailable", async () => {
    const pool = makePool({
      entry: new URL("../silent-child.js", import.meta.url),
      startTimeoutMs: 300,
    });
    await assert.rejects(ask(pool, answer), unavailable(/not ready after 300 ms/));
  });

  it("rejects waiting and later tasks at once if it dies or cannot be spawned", async () => {
    for (const [entry, cause] of [
      ["../no-such-child.js", /Cannot find module/],
      ["http://elsewhere.test/", /could not be started/],
    ] as const) {
      const pool = makePool({ entry: new URL(entry, import.meta.url), size: 2 });
      const results = await Promise.allSettled([
        ask(pool, answer),
        ask(pool, answer),
        ask(pool, answer),
      ]);
      for (const result of results)
        assert(result.status === "rejected" && unavailable(cause)(result.reason));
      assert.match(pool.startFault ?? "", cause);
      await assert.rejects(ask(pool, answer), unavailable(cause));
      assert.deepEqual([pool.running, pool.waiting], [0, 0]);
      await pool.warm();
    }
  });

  it("is started again until one is ready, and then the pool accepts tasks", async () => {
    const entry = join(temporary.path, "late-child.mjs");
    const pool = makePool({ entry: pathToFileURL(entry), size: 2, restartMs: 50 });
    await assert.rejects(ask(pool, answer), unavailable(/Cannot find module/));
    let isStartable = false;
    const startable = pool.untilStartable().then(() => (isStartable = true));
    await eventually("another try has failed", () => logged.length >= 2);
    assert.equal(isStartable, false);
    await writeFile(entry, `import ${JSON.stringify(unruly)};`);
    await startable;
    assert.equal(pool.startFault, null);
    const abort = new AbortController();
    const both = await Promise.all([begin(pool, abort.signal), begin(pool, abort.signal)]);
    assert.notEqual(both[0].pid, both[1].pid);
    abort.abort();
    await Promise.all(both.map(({ ended }) => ended));
    await pool.untilStartable();
  });

  it("leaves its tasks to the children that are ready", async () => {
    const entry = join(temporary.path, "first-child.mjs");
    await writeFile(entry, `import ${JSON.stringify(unruly)};`);
    const pool = makePool({ entry: pathToFileURL(entry), size: 2 });
    await pool.warm();
    const { pid } = await ask(pool, answer);
    const abort = new AbortController();
    const { pid: other, ended } = await begin(pool, abort.signal);
    await rm(entry);
    process.kill(pid === other ? pid : other, "SIGKILL");
    await ended;
    const values = await Promise.all([1, 2, 3].map((value) => ask(pool, { do: "answer", value })));
    assert.deepEqual([values.map(({ value }) => value), pool.startFault], [[1, 2, 3], null]);
    abort.abort();
  });
});
