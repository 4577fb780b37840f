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

  it(
    "tells what a child writes and how it dies with the ids of what it is at, and not with " +
      "those of what it was at",
    async () => {
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
          error.message.startsWith("The child process ran out of its memory limit"),
      );
      const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      const wrote = told.filter(({ msg }) => msg === "a child wrote");
      const died = told.filter(({ reason }) => reason === "memory");
      assert.deepEqual([wrote.length > 0, died.length], [true, 1]);
      for (const line of [...wrote, ...died])
        assert.deepEqual(
          [line["requestId"], line["queuedJobId"], line["attempt"]],
          ["second", "q", 2],
        );
      assert.match(wrote.map(({ stderr }) => String(stderr)).join(""), /heap|memory/i);
      assert.deepEqual(
        told.filter(({ requestId }) => requestId === "first"),
        [],
      );
      await assert.rejects(
        pool.run({ do: "die", signal: "SIGKILL" }, { timeoutMs: 30_000 }),
        (error) =>
          error instanceof ChildStoppedError &&
          error.reason === "killed" &&
          error.message.startsWith("The child process was killed from outside"),
      );
      assert.equal(
        (JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown>)["requestId"],
        undefined,
      );
    },
  );
});
