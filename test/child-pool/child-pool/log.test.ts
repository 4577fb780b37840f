import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { createChildPool } from "../../../src/child-pool/child-pool.js";
import { ChildStoppedError } from "../../../src/child-pool/exit-reason.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";

describe("the log of a pool", () => {
  const lines: string[] = [];
  const log = createLoggerTo({ write: (line) => void lines.push(line) }, "debug");
  const pool = createChildPool({
    entry: new URL("../unruly-child.js", import.meta.url),
    size: 1,
    memoryLimitBytes: 400_000_000,
    log,
  });
  after(() => pool.close());

  it("records a child's output and death with the ids of its current task only", async () => {
    await pool.run(
      { do: "answer", value: 1 },
      { timeoutMs: 30_000, log: log.child({ requestId: "first" }) },
    );
    await assert.rejects(
      pool.run(
        { do: "exhaust heap" },
        {
          timeoutMs: 30_000,
          log: log.child({ requestId: "second", queuedJobId: "q", attempt: 2 }),
        },
      ),
      (error) =>
        error instanceof ChildStoppedError &&
        error.reason === "memory" &&
        error.message.startsWith("The child process reached its memory limit"),
    );
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const outputs = records.filter(({ msg }) => msg === "a child wrote to stderr");
    const deaths = records.filter(({ reason }) => reason === "memory");
    assert.deepEqual([outputs.length > 0, deaths.length], [true, 1]);
    for (const line of [...outputs, ...deaths])
      assert.deepEqual(
        [line["requestId"], line["queuedJobId"], line["attempt"]],
        ["second", "q", 2],
      );
    assert.match(outputs.map(({ stderr }) => String(stderr)).join(""), /heap|memory/i);
    assert.deepEqual(
      records.filter(({ requestId }) => requestId === "first"),
      [],
    );
    await assert.rejects(
      pool.run({ do: "die", signal: "SIGKILL" }, { timeoutMs: 30_000 }),
      (error) =>
        error instanceof ChildStoppedError &&
        error.reason === "killed" &&
        error.message.startsWith("The child process was killed by another process"),
    );
    assert.equal(
      (JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown>)["requestId"],
      undefined,
    );
  });
});
