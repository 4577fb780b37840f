import assert from "node:assert/strict";
import { afterEach } from "node:test";
import {
  createChildPool,
  type ChildPool,
  type ChildPoolOptions,
} from "../../../src/child-pool/child-pool.js";
import { ChildStoppedError, type ChildStopReason } from "../../../src/child-pool/exit-reason.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { eventually } from "../../support/runner/eventually.js";
import type { TestRequest } from "../unruly-child.js";

/**
 * Creates pools of unruly children that are closed after each test, and collects their log lines.
 */
export function createTestPools() {
  const pools: ChildPool[] = [];
  const logged: string[] = [];
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close()));
    logged.length = 0;
  });
  function makePool(options: Partial<ChildPoolOptions> = {}): ChildPool {
    const pool = createChildPool({
      entry: new URL("../unruly-child.js", import.meta.url),
      size: 1,
      memoryLimitBytes: 1_500_000_000,
      log: createLoggerTo({ write: (line) => void logged.push(line) }),
      ...options,
    });
    pools.push(pool);
    return pool;
  }
  return { makePool, logged };
}

interface Answer {
  value: unknown;
  pid: number;
}

export function ask(
  pool: ChildPool,
  request: TestRequest,
  options: Partial<Parameters<ChildPool["run"]>[1]> = {},
): Promise<Answer> {
  return pool.run(request, { timeoutMs: 30_000, ...options }) as Promise<Answer>;
}

export const answer: TestRequest = { do: "answer", value: 1 };

/** Runs a request that does not end by itself, and returns the pid of its child. */
export async function begin(
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

export function stopped(reason: ChildStopReason, message: RegExp) {
  return (error: unknown) => {
    assert(error instanceof ChildStoppedError, String(error));
    assert.equal(error.reason, reason);
    assert.match(error.message, message);
    return true;
  };
}
