import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { describe, it } from "node:test";
import {
  PermanentTaskError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  TaskFailedError,
} from "../../src/domain/errors.js";
import { eventually } from "../support/runner/eventually.js";
import { processTree } from "../support/processes/process-tree.js";
import { processAlive } from "./process-alive.js";
import { answer, ask, begin, createTestPools } from "./child-pool/test-pools.js";

const { makePool } = createTestPools();

describe("a child pool", () => {
  it("answers, and keeps the child warm for the next task", async () => {
    const pool = makePool();
    const first = await ask(pool, { do: "answer", value: { deep: [1, "ü", null] } });
    assert.deepEqual(first.value, { deep: [1, "ü", null] });
    assert.equal((await ask(pool, answer)).pid, first.pid);
  });

  it("keeps no child after its task where none is to stay warm", async () => {
    // Other files run in this process, too.
    const others = new Set(processTree(process.pid));
    const pool = makePool({ size: 2, recycleAfterTasks: 1, keepsWarm: false });
    const answers = await Promise.all([ask(pool, answer), ask(pool, answer), ask(pool, answer)]);
    assert.equal(new Set(answers.map(({ pid }) => pid)).size, 3);
    await eventually("no child is left", () =>
      processTree(process.pid).every((pid) => others.has(pid)),
    );
    assert.equal((await ask(pool, answer)).value, 1);
  });

  it("starts no child before the first task, and all of them with warm()", async () => {
    const pool = makePool({ size: 2 });
    assert.deepEqual([pool.running, pool.waiting], [0, 0]);
    await pool.warm();
    const pids = await Promise.all([ask(pool, answer), ask(pool, answer)]);
    assert.notEqual(pids[0].pid, pids[1].pid);
  });

  it("runs one task at a time in each child, in the order of arrival", async () => {
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

  it("gives its children the niceness of its options", async () => {
    const { pid } = await ask(makePool({ niceness: 5 }), answer);
    assert.equal(getPriority(pid), 5);
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)));
    assert.deepEqual(new Set(threads), new Set([5]), "a thread of the child has another priority");
  });

  it("reports progress in order", async () => {
    const reports: [number, string | undefined][] = [];
    await ask(
      makePool(),
      { do: "report", fractions: [0.25, 0.5, 1] },
      { onProgress: (fraction, message) => reports.push([fraction, message]) },
    );
    assert.deepEqual(reports.slice(1), [
      [0.25, "at 0.25"],
      [0.5, "at 0.5"],
      [1, "at 1"],
    ]);
  });

  it("keeps class, code and message of known errors, and the child stays alive", async () => {
    const pool = makePool();
    const { pid } = await ask(pool, answer);
    await assert.rejects(
      ask(pool, { do: "fail", how: "unreadable" }),
      (error) =>
        error instanceof PhotoUnreadableError &&
        error.message === "It is damaged." &&
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
        error.message === "The ink is used up.",
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
  });

  it("passes none of the parent's variables to its children", async () => {
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

  it("keeps its children when a terminal or service manager signals the whole group", async () => {
    const pool = makePool();
    const { pid } = await ask(pool, answer);
    process.kill(pid, "SIGINT");
    process.kill(pid, "SIGTERM");
    assert.equal((await ask(pool, answer)).pid, pid);
  });

  it("replaces a child after the maximum number of tasks", async () => {
    const pool = makePool({ recycleAfterTasks: 2 });
    const pids: number[] = [];
    for (let task = 0; task < 5; task++) pids.push((await ask(pool, answer)).pid);
    assert.deepEqual(
      [pids[0] === pids[1], pids[1] === pids[2], pids[2] === pids[3], pids[3] === pids[4]],
      [true, false, true, false],
    );
    await eventually("the first is gone", () => !processAlive(pids[0] ?? 0));
  });

  it("replaces a child that uses too much memory after a task", async () => {
    const pool = makePool({ recycleAboveBytes: 1 });
    const first = await ask(pool, answer);
    assert.notEqual((await ask(pool, answer)).pid, first.pid);
  });
});
