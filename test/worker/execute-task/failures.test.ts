// The row of a failed attempt, and the decision about a retry.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import { createAttemptScene, type AttemptScene } from "./attempt-scene.js";

describe("an attempt", () => {
  let scene: AttemptScene;
  before(async () => {
    scene = await createAttemptScene();
  });
  after(() => scene.close());

  const failures: [
    what: string,
    job: string,
    parameters: Record<string, unknown>,
    code: string,
    message: string,
    final: boolean,
  ][] = [
    ["throws", "bug", {}, "TASK_FAILED", "The task failed unexpectedly.", false],
    ["reports a failure", "fails", {}, "TASK_FAILED", "It did not work this time.", false],
    ["reports a permanent failure", "refuses", {}, "NO_INK", "There is no ink.", true],
    [
      "reports a permanent failure in a child",
      "child",
      { refuse: "It is torn." },
      "PHOTO_UNREADABLE",
      "It is torn.",
      true,
    ],
    [
      "returns a result that is too long",
      "long",
      {},
      "TASK_FAILED",
      "The result is too long: at most 262144 characters of JSON are allowed.",
      true,
    ],
    [
      "returns an invalid result",
      "wrong",
      {},
      "TASK_FAILED",
      "The task failed unexpectedly.",
      false,
    ],
    [
      "takes too long and ignores the signal",
      "deaf",
      {},
      "TIMEOUT",
      "The attempt exceeded the time limit of this Job.",
      false,
    ],
    [
      "takes too long in a child",
      "brief child",
      { hang: true },
      "TIMEOUT",
      "The attempt exceeded the time limit of this Job.",
      false,
    ],
    [
      "crashes its child",
      "child",
      { death: "crash" },
      "PHOTO_UNREADABLE",
      "The photo cannot be processed: the decoder stopped at it. Upload the original file again.",
      false,
    ],
    [
      "fills its child",
      "child",
      { death: "out of memory" },
      "PHOTO_TOO_LARGE",
      "The photo needs more memory than a task may have. Scale it down and upload it again.",
      false,
    ],
  ];
  for (const [what, job, parameters, code, message, final] of failures) {
    it(`whose task ${what} ends with ${code} (${final ? "final" : "retried"})`, async () => {
      const queuedJob = await scene.submit(job, parameters);
      let bugs = 0;
      await scene.execute(queuedJob, { onBug: () => bugs++ });
      assert.equal(
        bugs,
        message.includes("unexpectedly") ? 1 : 0,
        "only unforeseen faults are reported as bugs",
      );
      const row = await scene.find(queuedJob);
      assert.deepEqual(
        [row?.status, row?.error],
        [final ? "FAILED" : "PENDING", { code, message }],
      );
      assert.deepEqual(await scene.storyOf(queuedJob), [
        "QUEUED",
        "STARTED",
        final ? "FAILED" : "RETRYING",
      ]);
      const { run = 0, delayMs = 0 } = scene.lastHint(queuedJob) ?? {};
      if (!final)
        assert.ok(run === 2 && delayMs >= 500 && delayMs <= 1000, `run ${run} after ${delayMs} ms`);
    });
  }

  it("that is the last of its Job, or kills a second child, ends with FAILED", async () => {
    const due = (queuedJob: QueuedJob) =>
      scene.core.database.sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
    for (const [job, parameters, attempts] of [
      ["fails", {}, 3],
      ["child", { death: "crash" }, 2],
      ["child", { death: "out of memory" }, 2],
    ] as const) {
      const queuedJob = await scene.submit(job, parameters);
      for (let i = 1; i <= attempts; i++) {
        await due(queuedJob);
        await scene.execute(queuedJob);
        assert.equal(
          (await scene.find(queuedJob))?.status,
          i < attempts ? "PENDING" : "FAILED",
          `${job}, attempt ${i}`,
        );
      }
    }
  });

  it("writes internal details of a failure to the log and not to the row", async () => {
    const lines: Record<string, unknown>[] = [];
    const queuedJob = await scene.submit("bug");
    await scene.execute(queuedJob, {
      log: createLoggerTo({
        write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
      }),
    });
    const line = lines.find(({ msg }) => msg === "an attempt failed");
    assert.deepEqual(
      [
        line?.["level"],
        line?.["queuedJobId"],
        line?.["userId"],
        line?.["attempt"],
        line?.["code"],
        (line?.["err"] as Error | undefined)?.message,
      ],
      [40, queuedJob.id, scene.user.id, 1, "TASK_FAILED", "secret of the house"],
    );
    assert.doesNotMatch(JSON.stringify(await scene.find(queuedJob)), /secret/);
  });

  it("leaves nothing in the scratch folder after any outcome", async () => {
    assert.deepEqual(await readdir(scene.deps.storage.scratchFolder), []);
  });
});
