import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import {
  createChildPool,
  type ChildFault,
  type ChildPool,
} from "../../../src/child-pool/child-pool.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import type { TestRequest } from "../unruly-child.js";

describe("a fault of a child", () => {
  const reports: ChildFault[] = [];
  let pool: ChildPool;
  const open = (entry = "unruly-child.js") =>
    (pool = createChildPool({
      entry: new URL(`../${entry}`, import.meta.url),
      size: 1,
      memoryLimitBytes: 300_000_000,
      graceMs: 50,
      log: silentLog,
      onFault: (reason) => reports.push(reason),
    }));
  const fails = (
    request: TestRequest,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ) => assert.rejects(pool.run(request, { timeoutMs: 30_000, ...options }));
  afterEach(async () => {
    await pool.close();
    reports.length = 0;
  });

  for (const [kind, reason, request, timeoutMs] of [
    ["that crashes", "crashed", { do: "die", signal: "SIGSEGV" }, 30_000],
    ["that is killed by another process", "killed", { do: "die", signal: "SIGKILL" }, 30_000],
    ["that exceeds its memory limit", "memory", { do: "exhaust heap" }, 30_000],
    ["that takes too long", "timeout", { do: "spin" }, 100],
  ] as const) {
    it(`${kind} is reported once, as ${reason}`, async () => {
      open();
      await fails(request, { timeoutMs });
      await pool.run({ do: "answer", value: 1 }, { timeoutMs: 30_000 });
      assert.deepEqual(reports, [reason]);
    });
  }

  it("that cannot start is reported", async () => {
    open("no-such-child.js");
    await fails({ do: "answer", value: 1 });
    assert.deepEqual(reports, ["unstartable"]);
  });

  it("that dies while idle is reported", async () => {
    open();
    const { pid } = (await pool.run({ do: "answer", value: 1 }, { timeoutMs: 30_000 })) as {
      pid: number;
    };
    process.kill(pid, "SIGKILL");
    await eventually("it is reported", () => reports.length === 1);
    assert.deepEqual(reports, ["killed"]);
  });

  it("is not reported when a task throws or is aborted, or when the pool is closed", async () => {
    open();
    await fails({ do: "fail", how: "unreadable" });
    await fails({ do: "fail", how: "plain" });
    await fails({ do: "spin" }, { signal: AbortSignal.timeout(300) });
    await pool.run({ do: "answer", value: 1 }, { timeoutMs: 30_000 });
    await Promise.all([fails({ do: "spin" }), pool.close()]);
    assert.deepEqual(reports, []);
  });
});
