import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { createLoggerTo } from "../../src/runtime/logger.js";
import { createDuties } from "../../src/services/maintenance/duties.js";
import type { QueuedJobs } from "../../src/services/queued-jobs/queued-jobs.js";
import type { DueSweep } from "../../src/services/queued-jobs/maintenance.js";
import type { User } from "../../src/services/users/users.js";
import { createReconciler, type Reconciler } from "../../src/worker/reconciler.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../support/service/test-core.js";

describe("the reconciler", () => {
  let core: TestCore;
  let user: User;
  let forgotten = false;
  let looks = 0;
  before(async () => {
    core = await createTestCore();
    user = await core.newUser();
  });
  beforeEach(() => core.database.sql`delete from duties`);
  after(() => core.close());
  const opened: Reconciler[] = [];
  afterEach(async () => {
    for (const reconciler of opened.splice(0)) await reconciler.close();
  });
  function open(
    worker: string,
    more: Partial<QueuedJobs> = {},
    beatMs = 600_000,
    log = silentLog,
    sweepMs = 2000,
  ): Reconciler {
    const reconciler = createReconciler({
      queuedJobs: { ...core.queuedJobs, ...more },
      hints: { hasForgotten: async () => (looks++, forgotten) },
      duties: createDuties(core.database),
      worker,
      log,
      beatMs,
      sweepMs,
    });
    opened.push(reconciler);
    return reconciler;
  }
  const age = (id: string) =>
    core.database
      .sql`update queued_jobs set updated_at = now() - interval '6 seconds' where id = ${id}`;
  const typesOf = async (id: string) =>
    (
      await core.database.sql<
        { type: string }[]
      >`select type from queued_job_events where queued_job_id = ${id} order by seq`
    ).map(({ type }) => type);

  it(
    "puts back a hint that was lost, of a row that has waited for a while, and leaves the " +
      "others alone",
    async () => {
      const [lost, fresh, late, hinted] = [
        await core.submit(user),
        await core.submit(user),
        await core.submit(user, { runAt: new Date(Date.now() + 3_600_000) }),
        await core.submit(user),
      ];
      for (const { id } of [lost, late, hinted]) await age(id);
      const kept = core.hinted.filter(({ id }) => id === hinted.id);
      core.hinted.length = 0;
      core.hinted.push(...kept);
      const reconciler = open("w");
      reconciler.hurry();
      await eventually("it is back", () => core.hinted.length === 2);
      await reconciler.close();
      assert.deepEqual(
        core.hinted.map(({ id, run, lane, delayMs }) => [id, run, lane, delayMs]).slice(1),
        [[lost.id, 1, "worker", 0]],
      );
      assert.equal(
        core.hinted.some(({ id }) => id === fresh.id),
        false,
      );
    },
  );

  it("puts back every hint, and waits for no beat, when Redis has forgotten all", async () => {
    const fresh = await core.submit(user);
    core.hinted.length = 0;
    const reconciler = open("w");
    await eventually(
      "it has the duty",
      async () => (await core.database.sql`select 1 from duties`).length === 1,
    );
    assert.equal(
      core.hinted.some(({ id }) => id === fresh.id),
      false,
    );
    forgotten = true;
    await eventually("it is back", () => core.hinted.some(({ id }) => id === fresh.id), 3000);
    forgotten = false;
    await reconciler.close();
  });

  it(
    "takes over an attempt whose lease has lapsed: RETRYING at once, and STALLED for good " +
      "at the second death",
    async () => {
      const queuedJob = await core.submit(user);
      const reconciler = open("w");
      for (const [i, last] of ["RETRYING", "FAILED"].entries()) {
        await core.start(queuedJob, "dead");
        await core.database.sql`update queued_jobs set lease_until = now() - interval '1 second'
            where id = ${queuedJob.id}`;
        reconciler.hurry();
        await eventually(
          `death ${i + 1} is found`,
          async () => (await typesOf(queuedJob.id)).at(-1) === last,
        );
      }
      await reconciler.close();
      const row = await core.queuedJobs.find({ id: "", role: "ADMIN" }, queuedJob.id);
      assert.deepEqual(
        [row?.status, row?.attempts, row?.error],
        [
          "FAILED",
          2,
          {
            code: "STALLED",
            message:
              "The worker that ran it died or lost touch. It happened 2 times, so it is " +
              "not tried again.",
          },
        ],
      );
      assert.deepEqual(await typesOf(queuedJob.id), [
        "QUEUED",
        "STARTED",
        "RETRYING",
        "STARTED",
        "FAILED",
      ]);
    },
  );

  it("leaves alone an attempt whose lease holds", async () => {
    const queuedJob = await core.submit(user);
    await core.start(queuedJob);
    let beats = 0;
    const reconciler = open(
      "w",
      { hintDue: async (sweep) => (sweep.pass([], 1), beats++ > 0 ? 0 : 1) },
      5,
    );
    await eventually("it has looked", () => beats > 2);
    await reconciler.close();
    assert.deepEqual(await typesOf(queuedJob.id), ["QUEUED", "STARTED"]);
  });

  it("is one worker's at a time, and another's when that has not renewed it", async () => {
    const beats = { first: 0, second: 0 };
    const first = open("first", { takeOverLapsed: async () => beats.first++ }, 5);
    await eventually("the first has it", () => beats.first > 0);
    const second = open("second", { takeOverLapsed: async () => beats.second++ }, 5);
    const seen = beats.first;
    await eventually("the first goes on", () => beats.first > seen + 5);
    assert.equal(beats.second, 0);
    await first.close();
    await core.database.sql`update duties set held_until = now() - interval '1 second'`;
    await eventually("the second has it", () => beats.second > 0);
    await second.close();
    assert.deepEqual(
      (await core.database.sql`select name, holder from duties`).map((row) => [
        row["name"],
        row["holder"],
      ]),
      [["reconcile", "second"]],
    );
  });

  it("comes again at once when it is hurried while it works, and never twice at a time", async () => {
    let running = 0;
    let most = 0;
    let beats = 0;
    let go: () => void = () => {};
    const reconciler = open("w", {
      async takeOverLapsed() {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => (go = resolve));
        running--;
        return beats++;
      },
      hintDue: async (sweep) => (sweep.pass([], 1), 0),
    });
    await eventually("it works", () => running === 1);
    for (let i = 0; i < 5; i++) reconciler.hurry();
    go();
    await eventually("it works again", () => beats === 1 && running === 1);
    go();
    await eventually("it rests", () => beats === 2 && running === 0);
    await reconciler.close();
    assert.equal(most, 1);
  });

  it("puts hints back although attempts cannot be taken over, and the other way round", async () => {
    const lines: { msg: string }[] = [];
    const log = createLoggerTo({
      write: (line) => void lines.push(JSON.parse(line) as { msg: string }),
    });
    const calls = { lapsed: 0, due: 0 };
    const reconciler = open(
      "w",
      {
        takeOverLapsed: async () =>
          calls.lapsed++ === 0 ? Promise.reject(new Error("a poisoned row")) : 0,
        async hintDue(sweep) {
          if (calls.due++ === 1) throw new Error("another one");
          sweep.pass([], 1);
          return 0;
        },
      },
      600_000,
      log,
    );
    await eventually("both were tried", () => calls.due === 1);
    reconciler.hurry();
    await eventually("both were tried again", () => calls.due === 2);
    reconciler.hurry();
    await eventually("and once more", () => calls.due === 3);
    await reconciler.close();
    assert.deepEqual(
      [calls.lapsed, lines.map(({ msg }) => msg)],
      [3, ["the reconciler failed", "the reconciler failed"]],
    );
  });

  it(
    "comes at once while hints are missing, and in the next beat goes on where its sweep " +
      "stood when its time was up",
    async () => {
      const sweeps: DueSweep[] = [];
      const reconciler = open(
        "w",
        {
          takeOverLapsed: async () => 0,
          async hintDue(sweep) {
            sweeps.push(sweep);
            sweep.pass([], sweeps.length === 4 ? 1 : 0);
            return sweeps.length < 3 ? 1 : 0;
          },
        },
        600_000,
        silentLog,
        0,
      );
      // Each page takes all the time there is.
      for (const pages of [3, 4, 5]) {
        await eventually(`${pages} pages are passed`, () => sweeps.length === pages, 5000);
        reconciler.hurry();
      }
      await reconciler.close();
      assert.deepEqual(sweeps.map((sweep) => sweeps.indexOf(sweep)).slice(0, 5), [0, 0, 0, 0, 4]);
    },
  );

  it("begins its sweep again when Redis forgets", async () => {
    const pages: { sweep: DueSweep; page: number }[] = [];
    let go: () => void = () => {};
    const reconciler = open(
      "w",
      {
        takeOverLapsed: async () => 0,
        async hintDue(sweep) {
          const page = pages.filter((one) => one.sweep === sweep).length;
          pages.push({ sweep, page });
          if (pages.length === 4) await new Promise<void>((resolve) => (go = resolve));
          sweep.pass([], page === 5 ? 1 : 0);
          return 1;
        },
      },
      600_000,
    );
    await eventually("it is within its first sweep", () => pages.length === 4);
    assert.equal(pages[0]?.sweep.patient, true);
    forgotten = true;
    const before_ = looks;
    await eventually("it has noticed", () => looks > before_);
    forgotten = false;
    go();
    await eventually("it ends", () => pages.at(-1)?.page === 5);
    await reconciler.close();
    assert.deepEqual(
      pages.map(({ page }) => page),
      [0, 1, 2, 3, 0, 1, 2, 3, 4, 5],
    );
    assert.equal(pages.at(-1)?.sweep.patient, false);
  });

  it("has closed only when what it was at has ended, and begins nothing more", async () => {
    let go: () => void = () => {};
    let pages = 0;
    let closed = false;
    const reconciler = open("w", {
      async hintDue() {
        pages++;
        await new Promise<void>((resolve) => (go = resolve));
        return 1;
      },
    });
    await eventually("it works", () => pages === 1);
    const closing = reconciler.close().then(() => (closed = true));
    await core.database.sql`select 1`;
    assert.equal(closed, false);
    go();
    await closing;
    assert.equal(pages, 1);
  });

  it(
    "says once, when it was in vain three times in a row because a store was away, that it " +
      "goes on trying",
    async () => {
      const lines: { level: number; msg: string }[] = [];
      const log = createLoggerTo({
        write: (line) => void lines.push(JSON.parse(line) as { level: number; msg: string }),
      });
      let tries = 0;
      const reconciler = open(
        "w",
        {
          takeOverLapsed: async () => 0,
          async hintDue(sweep) {
            if (++tries < 6) throw new ServiceUnavailableError("The database does not answer.");
            sweep.pass([], 1);
            return 0;
          },
        },
        5,
        log,
      );
      await eventually("it has tried often", () => tries > 8);
      await reconciler.close();
      assert.deepEqual(
        lines.map(({ level, msg }) => [level, msg]),
        [[50, "the reconciler failed 3 times in a row; it goes on trying"]],
      );
    },
  );

  it(
    "outlives a fault, which is an error in the log, and tries again soon, without a word, " +
      "when a store was away",
    async () => {
      const lines: { level: number; msg: string }[] = [];
      const log = createLoggerTo({
        write: (line) => void lines.push(JSON.parse(line) as { level: number; msg: string }),
      });
      const faults = [new TypeError("a bug"), new ServiceUnavailableError("Redis is away.")];
      let beats = 0;
      const reconciler = open(
        "w",
        {
          takeOverLapsed: async () => {
            const fault = faults[beats++];
            if (fault) throw fault;
            return 0;
          },
        },
        600_000,
        log,
      );
      await eventually("the fault is told", () => lines.length === 1);
      reconciler.hurry();
      await eventually("it comes again by itself", () => beats === 3);
      await reconciler.close();
      assert.deepEqual(
        lines.map(({ level, msg }) => [level, msg]),
        [[50, "the reconciler failed"]],
      );
    },
  );
});
