import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { backlogsOf } from "../../../../src/services/queued-jobs/dispatch.js";
import { createHintDue, DueSweep } from "../../../../src/services/queued-jobs/maintenance.js";
import { createLoggerTo } from "../../../../src/runtime/logger.js";
import type { User } from "../../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("the rows that the reconciler finds", () => {
  let services: TestServices;
  let user: User;
  const logged: string[] = [];
  const log = createLoggerTo({ write: (line) => void logged.push(line) }, "warn");
  before(async () => {
    services = await createTestServices({ log });
  });
  beforeEach(async () => {
    await services.database.sql`delete from queued_jobs`;
    services.offered.length = 0;
    user = await services.newUser();
  });
  after(() => services.close());
  /** Ages the row as if its last change was 6 s ago. */
  const age = (...ids: string[]) =>
    services.database
      .sql`update queued_jobs set updated_at = now() - interval '6 seconds' where id = any(${ids})`;
  /** Runs a sweep to its end with the given page size. */
  async function hintAll({ patient = true, limit = 10 } = {}): Promise<number> {
    const sweep = new DueSweep({ patient });
    let missing = 0;
    while (!sweep.ended) missing += await services.queuedJobs.hintDue(sweep, limit);
    return missing;
  }
  const backlogs = () => services.offered.map(({ id, backlog }) => [id, backlog]);
  const offeredIds = () => services.offered.map(({ id }) => id);

  it("exclude a recently changed row, whose hint is on its way", async () => {
    await services.submit(user);
    assert.equal(await hintAll(), 0);
    assert.deepEqual(services.offered, []);
  });

  it("include a row that has waited, with all values of its hint", async () => {
    const photo = await services.newPhoto(user);
    const queuedJob = await services.submit(user, {
      job: "metadata",
      photoIds: [photo.id],
      priority: 4,
    });
    await services.queuedJobs.handBack(await services.start(queuedJob), 0);
    await age(queuedJob.id);
    assert.equal(await hintAll(), 1);
    const [hint] = services.offered;
    assert.deepEqual(
      { ...hint, backlog: 0 },
      {
        id: queuedJob.id,
        userId: user.id,
        run: 2,
        requestId: "request",
        lane: "child",
        priority: 4,
        delayMs: 0,
        backlog: 0,
      },
    );
  });

  it("include a row that is due within a minute, with its delay, and no later one", async () => {
    const [soon, later] = [
      await services.submit(user, { runAt: new Date(Date.now() + 40_000) }),
      await services.submit(user, { runAt: new Date(Date.now() + 90_000) }),
    ];
    await age(soon.id, later.id);
    assert.equal(await hintAll(), 1);
    assert.deepEqual(offeredIds(), [soon.id]);
    const delayMs = services.offered[0]?.delayMs ?? 0;
    assert.ok(delayMs > 30_000 && delayMs <= 40_000, String(delayMs));
  });

  it("exclude running and finished rows", async () => {
    const [running, cancelled, succeeded] = [
      await services.submit(user),
      await services.submit(user),
      await services.finished(user),
    ];
    await services.start(running);
    await services.queuedJobs.cancel(user, cancelled.id);
    await age(running.id, cancelled.id, succeeded.id);
    assert.equal(await hintAll(), 0);
  });

  it("include every row across page borders, also many due at the same moment", async () => {
    const many = (
      await services.submitMany(
        user,
        Array.from({ length: 11 }, () => ({})),
      )
    ).map(({ id }) => id);
    await services.submitMany(user, [{ runAt: new Date(Date.now() + 3_600_000) }]);
    await age(...many);
    for (const limit of [1, 3, 11, 12]) {
      services.offered.length = 0;
      assert.equal(await hintAll({ limit }), 11);
      assert.deepEqual(offeredIds().toSorted(), many.toSorted());
    }
  });

  it("come with the backlog of the same owner of at least the same priority", async () => {
    const other = await services.newUser();
    const mine: string[] = [];
    for (const priority of [0, 9, 0, 9, 5])
      mine.push((await services.submit(user, { priority })).id);
    const { id: theirs } = await services.submit(other);
    await age(...mine, theirs);
    await hintAll({ limit: 2 });
    assert.deepEqual(backlogs(), [
      ...[0, 0, 2, 1, 2].map((backlog, i) => [mine[i], backlog]),
      [theirs, 0],
    ]);
  });

  it("include at most a hundred rows of an unknown Job, and all rows behind them", async () => {
    const { sql } = services.database;
    const many = (
      await services.submitMany(
        user,
        Array.from({ length: 120 }, () => ({})),
      )
    ).map(({ id }) => id);
    await sql`update queued_jobs set job_name = case when id = any(${many.slice(0, 10)})
        then 'next' else 'removed' end`;
    const { id } = await services.submit(await services.newUser());
    await age(...many, id);
    assert.equal(await hintAll({ limit: 50 }), 111);
    assert.equal(
      many.slice(0, 10).every((one) => offeredIds().includes(one)),
      true,
    );
    assert.equal(offeredIds().at(-1), id);
  });

  it("are logged once for each unknown Job, because they may wait for a worker in vain", async () => {
    const { id } = await services.submit(user);
    await services.database.sql`update queued_jobs set job_name = 'elsewhere' where id = ${id}`;
    await age(id);
    await hintAll();
    await hintAll();
    const lines = logged.filter((line) => line.includes('"job":"elsewhere"'));
    assert.equal(lines.length, 1);
    assert.match(lines.join(), /this worker lacks the task of waiting jobs: give all workers/);
  });

  it("exclude paused rows, however many wait in front, and read one page at a time", async () => {
    const { sql } = services.database;
    const pausedUser = await services.newUser();
    const photo = await services.newPhoto(user);
    const paused = [
      ...(await services.submitMany(
        pausedUser,
        Array.from({ length: 25 }, () => ({})),
      )),
      await services.submit(user, { job: "album", photoIds: [photo.id] }),
    ];
    const { id } = await services.submit(user);
    await age(id, ...paused.map((row) => row.id));
    await sql`insert into pauses (kind, subject, at, actor, reason) values
      ('USER', ${pausedUser.id}, now(), 'admin', ''), ('JOB', 'album', now(), 'admin', '')`;
    for (const limit of [1, 5, 9, 26, 27, 28]) {
      services.offered.length = 0;
      const sweep = new DueSweep({ patient: false });
      let pages = 0;
      for (; !sweep.ended; pages++) await services.queuedJobs.hintDue(sweep, limit);
      assert.deepEqual([backlogs(), pages], [[[id, 0]], Math.floor(27 / limit) + 1]);
    }
    await sql`delete from pauses`;
    services.offered.length = 0;
    assert.equal(await hintAll(), 27);
  });

  it("are only those that became due recently, when the sweep is of recent rows", async () => {
    const [old, recent] = [await services.submit(user), await services.submit(user)];
    await age(old.id, recent.id);
    await services.database.sql`update queued_jobs set due_at = now() - interval '1 minute'
      where id = ${old.id}`;
    const sweep = new DueSweep({ patient: true, sinceMs: 30_000 });
    while (!sweep.ended) await services.queuedJobs.hintDue(sweep, 1);
    assert.deepEqual(offeredIds(), [recent.id]);
  });

  it("are set aside, with a line in the log, while their hints cannot be added", async () => {
    const many = Array.from({ length: 12 }, () => ({}));
    const ids = (await services.submitMany(user, many)).map(({ id }) => id);
    await age(...ids);
    let faulty = new Set(ids.slice(3, 5));
    const added: string[] = [];
    let setAside = 0;
    const open = () =>
      createHintDue({
        ...services.database,
        ...services,
        dispatcher: {
          async addMissing(rows) {
            if (rows.some(({ id }) => faulty.has(id))) throw new TypeError("BullMQ refuses it");
            return added.push(...rows.map(({ id }) => id)) && rows.length;
          },
        },
        onSetAside: () => void setAside++,
        log,
      });
    const hintDue = open();
    for (let sweeps = 1; sweeps < 3; sweeps++) {
      const sweep = new DueSweep({ patient: true });
      assert.equal(await hintDue(sweep, 100), 10);
      assert.deepEqual([sweep.ended, added.length, setAside], [true, sweeps * 10, 2]);
    }
    const lines = logged.filter((line) => line.includes("the hint of a row could not be added"));
    assert.equal(lines.filter((line) => ids.slice(3, 5).some((id) => line.includes(id))).length, 2);
    faulty = new Set(ids);
    await assert.rejects(open()(new DueSweep({ patient: true }), 100), /BullMQ refuses it/);
    assert.equal(setAside, 2, "a fault of all rows is not in the rows");
  });

  it("are found again from the old position when hints could not be added", async () => {
    const many = (await services.submitMany(user, [{}, {}, {}])).map(({ id }) => id);
    await age(...many);
    const sweep = new DueSweep({ patient: true });
    await services.queuedJobs.hintDue(sweep, 1);
    services.losesHints = true;
    await assert.rejects(services.queuedJobs.hintDue(sweep, 1), { code: "SERVICE_UNAVAILABLE" });
    services.losesHints = false;
    while (!sweep.ended) await services.queuedJobs.hintDue(sweep, 1);
    assert.deepEqual(offeredIds().toSorted(), many.toSorted());
  });

  it("include every waiting row, also a recent one, when Redis has lost all hints", async () => {
    const { id } = await services.submit(user);
    assert.equal(await hintAll({ patient: false }), 1);
    assert.deepEqual(offeredIds(), [id]);
  });

  it("include the oldest expired rows for removal, up to the limit", async () => {
    const { sql } = services.database;
    const [old, older, kept, waiting] = [
      await services.finished(user),
      await services.finished(user),
      await services.finished(user),
      await services.submit(user),
    ];
    await sql`update queued_jobs set expires_at = now() - interval '1 minute'
        where id = ${old.id}`;
    await sql`update queued_jobs set expires_at = now() - interval '1 hour'
        where id = ${older.id}`;
    assert.equal(await services.queuedJobs.removeExpired(1), 1);
    assert.deepEqual(
      [services.published.at(-1)?.type, services.published.at(-1)?.queuedJob.id],
      ["DELETED", older.id],
    );
    assert.deepEqual(
      [await services.queuedJobs.removeExpired(10), await services.queuedJobs.removeExpired(10)],
      [1, 0],
    );
    const left = await Promise.all(
      [old, older, kept, waiting].map(
        async ({ id }) => (await services.queuedJobs.find(user, id)) !== null,
      ),
    );
    assert.deepEqual(left, [false, false, true, true]);
  });

  it("count as backlog the owner's unfinished ones of at least the priority", async () => {
    const other = await services.newUser();
    await services.submitMany(other, [{ priority: 100 }, { priority: 100 }]);
    const [low, high] = await services.submitMany(user, [
      { priority: 1 },
      { priority: 5 },
      { priority: 5 },
      { priority: 7 },
    ]);
    const running = await services.submit(user, { priority: 9 });
    await services.start(running);
    await services.queuedJobs.cancel(user, (await services.submit(user, { priority: 9 })).id);
    assert.ok(low && high);
    assert.deepEqual(await backlogsOf(services.database.sql, [low, high, low]), [5, 4, 5]);
  });
});
