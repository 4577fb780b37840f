// The life of an attempt, from its hint to what its row says.
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import {
  PermanentTaskError,
  ServiceUnavailableError,
  TaskFailedError,
} from "../../src/domain/errors.js";
import { createChildPool } from "../../src/child-pool/child-pool.js";
import { createLoggerTo } from "../../src/runtime/logger.js";
import type { QueuedJob } from "../../src/domain/queued-job.js";
import type { User } from "../../src/services/users/users.js";
import { executeTask } from "../../src/worker/execute-task.js";
import { createLeases } from "../../src/worker/leases.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { childTask, createWorkerScene, testTask, type WorkerScene } from "./worker-scene.js";

const obedient = testTask("obedient", ({ signal }) => wait(60_000, undefined, { signal }));
const deaf = testTask("deaf", () => wait(60_000, undefined, { ref: false }), { timeoutMs: 50 });
const tasks = [
  obedient,
  deaf,
  testTask("answers", ({ parameters, attempt }) => ({ ...parameters, attempt })),
  testTask("here", () => ({ pid: process.pid })),
  testTask("files here", ({ output }) =>
    output({ name: "a", mimeType: "text/plain", data: new Uint8Array() }),
  ),
  testTask("long", () => "x".repeat(256 * 1024)),
  testTask("bug", () => Promise.reject(new TypeError("secret of the house"))),
  testTask("fails", () => Promise.reject(new TaskFailedError("It did not work this time."))),
  testTask("refuses", () => Promise.reject(new PermanentTaskError("NO_INK", "There is no ink."))),
  testTask("storeless", () => Promise.reject(new ServiceUnavailableError("The storage is away."))),
  testTask("wrong", () => "text", { result: z.number() }),
  childTask("child"),
  childTask("brief child", { timeoutMs: 50 }),
];

describe("an attempt", () => {
  let scene: WorkerScene;
  let user: User;
  before(async () => {
    scene = await createWorkerScene(tasks);
    user = await scene.core.newUser();
  });
  after(() => scene.close());
  const submit = (job: string, parameters: Record<string, unknown> = {}) =>
    scene.core.submit(user, { job, parameters });
  const storyOf = async (queuedJob: QueuedJob) =>
    (await scene.history(queuedJob)).map(({ type }) => type);
  const lastHint = ({ id }: QueuedJob) => scene.core.hinted.findLast((hint) => hint.id === id);

  it("that goes well leaves its result", async () => {
    const queuedJob = await submit("answers", { a: [1, "ü", null] });
    await scene.execute(queuedJob);
    const row = await scene.find(queuedJob);
    assert.deepEqual(
      [row?.status, row?.result, row?.progress, row?.attempts, row?.error],
      ["SUCCESS", { a: [1, "ü", null], attempt: 1 }, 1, 1, null],
    );
    assert.deepEqual(await storyOf(queuedJob), ["QUEUED", "STARTED", "SUCCEEDED"]);
    assert.equal(scene.deps.leases.size, 0);
  });

  it("is not begun by a hint of an old run, of a cancelled one, or of none", async () => {
    const queuedJob = await submit("answers");
    await scene.core.queuedJobs.cancel(user, queuedJob.id);
    await scene.execute(queuedJob);
    await scene.core.queuedJobs.retry(user, queuedJob.id);
    for (const id of [queuedJob.id, "01930000-0000-7000-8000-000000000000"])
      await executeTask(scene.deps, { id, run: 1, requestId: "test" });
    assert.deepEqual(
      [(await scene.find(queuedJob))?.status, await storyOf(queuedJob)],
      ["PENDING", ["QUEUED", "CANCELLED", "QUEUED"]],
    );
  });

  const failures: [
    what: string,
    job: string,
    parameters: Record<string, unknown>,
    code: string,
    message: string,
    final: boolean,
  ][] = [
    ["throws", "bug", {}, "TASK_FAILED", "The task failed unexpectedly.", false],
    ["says that it failed", "fails", {}, "TASK_FAILED", "It did not work this time.", false],
    ["says that it failed for good", "refuses", {}, "NO_INK", "There is no ink.", true],
    [
      "says so in a child",
      "child",
      { refuse: "It is torn." },
      "PHOTO_UNREADABLE",
      "It is torn.",
      true,
    ],
    [
      "returns too much",
      "long",
      {},
      "TASK_FAILED",
      "The result is longer than 262144 characters of JSON.",
      true,
    ],
    [
      "returns what it should not",
      "wrong",
      {},
      "TASK_FAILED",
      "The task failed unexpectedly.",
      false,
    ],
    [
      "takes too long and hears nothing",
      "deaf",
      {},
      "TIMEOUT",
      "It took longer than this Job may.",
      false,
    ],
    [
      "takes too long in a child",
      "brief child",
      { hang: true },
      "TIMEOUT",
      "It took longer than this Job may.",
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
    it(`whose task ${what} leaves ${code}, and is ${final ? "the last" : "tried again later"}`, async () => {
      const queuedJob = await submit(job, parameters);
      let bugs = 0;
      await scene.execute(queuedJob, { onBug: () => bugs++ });
      assert.equal(
        bugs,
        message.includes("unexpectedly") ? 1 : 0,
        "only what nobody foresaw is told to operators as a bug",
      );
      const row = await scene.find(queuedJob);
      assert.deepEqual(
        [row?.status, row?.error],
        [final ? "FAILED" : "PENDING", { code, message }],
      );
      assert.deepEqual(await storyOf(queuedJob), [
        "QUEUED",
        "STARTED",
        final ? "FAILED" : "RETRYING",
      ]);
      const { run = 0, delayMs = 0 } = lastHint(queuedJob) ?? {};
      if (!final)
        assert.ok(run === 2 && delayMs >= 500 && delayMs <= 1000, `run ${run} after ${delayMs} ms`);
    });
  }

  it(
    "of a task that costs nothing runs in the worker itself, and in a child once its " +
      "worker has died of it",
    async () => {
      const queuedJob = await submit("here");
      await scene.execute(queuedJob);
      assert.deepEqual((await scene.find(queuedJob))?.result, { pid: process.pid });
      const suspect = await submit("here");
      await scene.core.start(suspect, "dead");
      await scene.core.database.sql`update queued_jobs set lease_until = now() - interval '1 second'
          where id = ${suspect.id}`;
      await scene.core.queuedJobs.takeOverLapsed(10);
      await scene.execute(suspect);
      assert.deepEqual((await scene.find(suspect))?.result, { attempt: 2 }, "what the child says");
    },
  );

  it("in the worker itself makes no files", async () => {
    const queuedJob = await submit("files here");
    await scene.execute(queuedJob);
    assert.deepEqual((await scene.find(queuedJob))?.error, {
      code: "TASK_FAILED",
      message: "The task failed unexpectedly.",
    });
  });

  it("under suspicion runs in a child, and a death there is told without a word of photos", async () => {
    const queuedJob = await submit("answers", { death: "crash" });
    await scene.core.database.sql`update queued_jobs set stalls = 1 where id = ${queuedJob.id}`;
    await scene.execute(queuedJob);
    assert.deepEqual((await scene.find(queuedJob))?.error, {
      code: "TASK_FAILED",
      message: "The process that ran it died.",
    });
  });

  it(
    "that is the last which the Job may have leaves FAILED, and one that kills a second " +
      "child is the last",
    async () => {
      const due = (queuedJob: QueuedJob) =>
        scene.core.database.sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
      for (const [job, parameters, attempts] of [
        ["fails", {}, 3],
        ["child", { death: "crash" }, 2],
        ["child", { death: "out of memory" }, 2],
      ] as const) {
        const queuedJob = await submit(job, parameters);
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
    },
  );

  it(
    "of a task that this worker does not have fails with a sentence that tells nothing of " +
      "the house",
    async () => {
      const queuedJob = await submit("answers");
      await scene.execute(queuedJob, { catalogue: new Map() });
      assert.deepEqual((await scene.find(queuedJob))?.error, {
        code: "TASK_FAILED",
        message: "The task failed unexpectedly.",
      });
    },
  );

  it("stops when it is cancelled, and leaves CANCELLED as it is", async () => {
    for (const [job, parameters] of [
      ["obedient", {}],
      ["child", { hang: true }],
    ] as const) {
      const queuedJob = await submit(job, parameters);
      const running = scene.execute(queuedJob);
      await eventually("it runs", async () => (await scene.find(queuedJob))?.status === "STARTED");
      await scene.core.queuedJobs.cancel(user, queuedJob.id);
      await running;
      assert.deepEqual(
        [(await scene.find(queuedJob))?.status, await storyOf(queuedJob)],
        ["CANCELLED", ["QUEUED", "STARTED", "CANCELLED"]],
      );
      assert.deepEqual(scene.core.stopped.at(-1), queuedJob.id);
    }
  });

  it(
    "that is given to another worker stops, and neither its progress nor its end is " +
      "written any more",
    async () => {
      const queuedJob = await submit("obedient");
      const running = scene.execute(queuedJob);
      await eventually("it runs", async () => (await scene.find(queuedJob))?.status === "STARTED");
      await scene.core.database
        .sql`update queued_jobs set lease_until = now() - interval '1 second', worker = 'frozen'
          where id = ${queuedJob.id}`;
      await scene.core.queuedJobs.takeOverLapsed(10);
      await running;
      assert.deepEqual(await storyOf(queuedJob), ["QUEUED", "STARTED", "RETRYING"]);
      assert.deepEqual((await scene.find(queuedJob))?.error, {
        code: "STALLED",
        message: "The worker that ran it died or lost touch.",
      });
    },
  );

  it("whose lease is lost writes nothing, although nobody has taken it over yet", async () => {
    for (const [job, parameters] of [
      ["obedient", {}],
      ["child", { hang: true }],
    ] as const) {
      const queuedJob = await submit(job, parameters);
      const running = scene.execute(queuedJob);
      await eventually("it runs", async () => (await scene.find(queuedJob))?.status === "STARTED");
      await scene.core.database
        .sql`update queued_jobs set worker = 'another' where id = ${queuedJob.id}`;
      await running;
      assert.deepEqual(
        [(await scene.find(queuedJob))?.status, await storyOf(queuedJob)],
        ["STARTED", ["QUEUED", "STARTED"]],
      );
    }
  });

  it("is handed back, uncounted and due at once, when the worker ends", async () => {
    for (const [job, parameters] of [
      ["obedient", {}],
      ["child", { hang: true }],
    ] as const) {
      const queuedJob = await submit(job, parameters);
      const leases = createLeases({
        queuedJobs: scene.core.queuedJobs,
        worker: "test-worker",
        log: silentLog,
      });
      const running = scene.execute(queuedJob, { leases });
      await eventually("it runs", () => leases.size === 1);
      leases.stopAll();
      await running;
      leases.close();
      const row = await scene.find(queuedJob);
      assert.deepEqual(
        [
          row?.status,
          row?.attempts,
          row?.error,
          lastHint(queuedJob)?.run,
          lastHint(queuedJob)?.delayMs,
        ],
        ["PENDING", 1, null, 2, 0],
      );
      const again = await scene.core.start(queuedJob);
      assert.deepEqual([again.failures, again.stalls, again.attempt], [0, 0, 2]);
    }
  });

  it("is handed back, uncounted and due later, when the storage is away", async () => {
    const queuedJob = await submit("storeless");
    await scene.execute(queuedJob);
    const row = await scene.find(queuedJob);
    assert.deepEqual(
      [row?.status, row?.error, lastHint(queuedJob)?.delayMs],
      ["PENDING", null, 10_000],
    );
  });

  it(
    "is handed back once, uncounted, when its child was killed from outside, and fails " +
      "when it is again",
    async () => {
      const queuedJob = await submit("child", { death: "killed" });
      for (const expected of [
        ["PENDING", null, 0],
        ["PENDING", "PHOTO_UNREADABLE", 1],
        ["FAILED", "PHOTO_UNREADABLE", 2],
      ] as const) {
        await scene.core.database
          .sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
        await scene.execute(queuedJob);
        const [row] = await scene.core.database.sql<
          { failures: number }[]
        >`select failures from queued_jobs where id = ${queuedJob.id}`;
        const job = await scene.find(queuedJob);
        assert.deepEqual([job?.status, job?.error?.code ?? null, row?.failures], expected);
      }
    },
  );

  it("is handed back, uncounted, when no child can be started", async () => {
    const queuedJob = await submit("child");
    const pool = createChildPool({
      entry: new URL("./no-such-child.js", import.meta.url),
      size: 1,
      memoryLimitBytes: 1e9,
      log: silentLog,
    });
    for (let i = 0; i < 3; i++) {
      await scene.core.database
        .sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
      await scene.execute(queuedJob, { pool });
      const row = await scene.find(queuedJob);
      assert.deepEqual(
        [row?.status, row?.error, lastHint(queuedJob)?.delayMs],
        ["PENDING", null, 10_000],
      );
    }
    await pool.close();
    await scene.core.database.sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
    await scene.execute(queuedJob);
    assert.equal((await scene.find(queuedJob))?.status, "SUCCESS");
  });

  it("writes what went wrong in the log, for people, and not in the row", async () => {
    const lines: Record<string, unknown>[] = [];
    const queuedJob = await submit("bug");
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
      [40, queuedJob.id, user.id, 1, "TASK_FAILED", "secret of the house"],
    );
    assert.doesNotMatch(JSON.stringify(await scene.find(queuedJob)), /secret/);
  });

  describe("with files", () => {
    const files = { "a.txt": "hello", "b.txt": "there" };
    const keysOf = ({ id }: QueuedJob, attempt: number) =>
      Object.keys(files).map((name) => `outputs/${user.id}/${id}/${attempt}/${name}`);
    const keptOf = async ({ id }: QueuedJob) =>
      (await scene.kept()).filter((key) => key.includes(id));

    it("keeps them under its own number", async () => {
      const queuedJob = await submit("child", { files });
      await scene.execute(queuedJob);
      assert.deepEqual(await keptOf(queuedJob), keysOf(queuedJob, 1));
      assert.deepEqual(
        (await scene.find(queuedJob))?.outputs?.map(({ name, byteSize }) => [name, byteSize]),
        [
          ["a.txt", 5],
          ["b.txt", 5],
        ],
      );
    });

    it("deletes them when it comes too late", async () => {
      const leases = createLeases({
        queuedJobs: scene.core.queuedJobs,
        worker: "test-worker",
        log: silentLog,
      });
      const queuedJob = await submit("child", { files, waitFor: join(scene.folder, "late") });
      const running = scene.execute(queuedJob, { leases });
      await eventually("it runs", async () => (await scene.find(queuedJob))?.status === "STARTED");
      await scene.core.queuedJobs.cancel(user, queuedJob.id);
      await writeFile(join(scene.folder, "late"), "");
      await running;
      leases.close();
      assert.deepEqual(
        [await keptOf(queuedJob), (await scene.find(queuedJob))?.status],
        [[], "CANCELLED"],
      );
    });

    it("keeps them when its success had been recorded and only the answer was lost", async () => {
      const queuedJob = await submit("child", { files });
      let tries = 0;
      const succeed: typeof scene.core.queuedJobs.succeed = async (...asked) => {
        const done = await scene.core.queuedJobs.succeed(...asked);
        if (tries++ === 0) throw new ServiceUnavailableError("The answer was lost.");
        return done;
      };
      await scene.execute(queuedJob, { queuedJobs: { ...scene.core.queuedJobs, succeed } });
      assert.deepEqual(
        [tries, await keptOf(queuedJob), await storyOf(queuedJob)],
        [2, keysOf(queuedJob, 1), ["QUEUED", "STARTED", "SUCCEEDED"]],
      );
    });

    it("records its success again and again while the database is away", async () => {
      const queuedJob = await submit("child", { files });
      let tries = 0;
      const succeed: typeof scene.core.queuedJobs.succeed = async (...asked) => {
        if (tries++ < 2)
          throw new ServiceUnavailableError("The database is away; try again in a moment.");
        return scene.core.queuedJobs.succeed(...asked);
      };
      await scene.execute(queuedJob, { queuedJobs: { ...scene.core.queuedJobs, succeed } });
      assert.deepEqual([tries, (await scene.find(queuedJob))?.status], [3, "SUCCESS"]);
    });

    it("leaves nothing in the scratch folder, however it ends", async () => {
      assert.deepEqual(await readdir(scene.deps.storage.scratchFolder), []);
    });
  });
});
