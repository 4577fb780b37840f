import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { after, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import { createChildPool } from "../../../src/child-pool/child-pool.js";
import type { RunOptions } from "../../../src/child-pool/child-work.js";
import { silentLog } from "../../support/runner/silent-log.js";

const pool = createChildPool({
  entry: new URL("../unruly-child.js", import.meta.url),
  size: 1,
  memoryLimitBytes: 1_500_000_000,
  log: silentLog,
});
after(() => pool.close());

const ask = (name: string, argument: unknown, options: Partial<RunOptions> = {}) =>
  pool.run({ do: "ask", name, argument }, { timeoutMs: 30_000, ...options }) as Promise<{
    value: unknown;
    pid: number;
  }>;
const never = () => new Promise<never>(() => {});

describe("a question of a child", () => {
  it("is answered by its parent with the given name and argument", async () => {
    const { value } = await ask("sum", [1, 2], {
      onAsk: async (name, argument) => ({ name, argument, deep: [1, "ü", null] }),
    });
    assert.deepEqual(value, { name: "sum", argument: [1, 2], deep: [1, "ü", null] });
  });

  it("throws the parent's error, with class and code", async () => {
    const away = ask("x", null, {
      onAsk: () => Promise.reject(new ServiceUnavailableError("The database is unavailable.")),
    });
    await assert.rejects(
      away,
      (error) =>
        error instanceof ServiceUnavailableError &&
        error.code === "SERVICE_UNAVAILABLE" &&
        error.message === "The database is unavailable.",
    );
    const bug = ask("x", null, { onAsk: () => Promise.reject(new TypeError("It is a bug.")) });
    await assert.rejects(
      bug,
      (error) =>
        error instanceof Error &&
        !(error instanceof ServiceUnavailableError) &&
        error.message === "It is a bug.",
    );
  });

  it("throws when the parent has no answers", async () => {
    await assert.rejects(ask("anything", null), {
      message: 'The parent does not answer the question "anything".',
    });
  });

  it("ends with aborted work, and a late answer does not reach the next question", async () => {
    const { pid } = await ask("pid", null, { onAsk: async () => 1 });
    const abort = new AbortController();
    let answerLate: (value: string) => void = () => {};
    const first = ask("slow", null, {
      signal: abort.signal,
      onAsk: () =>
        new Promise((resolve) => {
          answerLate = resolve;
          abort.abort();
        }),
    });
    await assert.rejects(first, { name: "ChildStoppedError", reason: "aborted" });
    const second = await ask("pid", null, {
      onAsk: async () => {
        answerLate("late");
        await pause(50);
        return "current";
      },
    });
    assert.deepEqual(second, { value: "current", pid });
  });

  it("does not extend the time limit of the work", async () => {
    await assert.rejects(ask("slow", null, { timeoutMs: 100, onAsk: never }), {
      name: "ChildStoppedError",
      reason: "timeout",
    });
  });
});
