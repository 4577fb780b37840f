import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { eventually } from "../support/runner/eventually.js";
import { groupOf } from "../support/service/group-of.js";
import { createReconcilerScene, type ReconcilerScene } from "./reconciler/reconciler-scene.js";

describe("the reconciler", () => {
  let scene: ReconcilerScene;
  before(async () => {
    scene = await createReconcilerScene();
  });
  beforeEach(() => scene.core.database.sql`delete from duties`);
  afterEach(() => scene.closeReconcilers());
  after(() => scene.close());
  const age = (id: string) =>
    scene.core.database
      .sql`update queued_jobs set updated_at = now() - interval '6 seconds' where id = ${id}`;
  const typesOf = async (id: string) =>
    (
      await scene.core.database.sql<
        { type: string }[]
      >`select type from queued_job_events where queued_job_id = ${id} order by seq`
    ).map(({ type }) => type);

  it("restores a lost hint of a row that has waited, and no other hint", async () => {
    const [lost, fresh, late, hinted] = [
      await scene.core.submit(scene.user),
      await scene.core.submit(scene.user),
      await scene.core.submit(scene.user, { runAt: new Date(Date.now() + 3_600_000) }),
      await scene.core.submit(scene.user),
    ];
    for (const { id } of [lost, late, hinted]) await age(id);
    const kept = scene.core.hinted.filter(({ id }) => id === hinted.id);
    scene.core.hinted.length = 0;
    scene.core.hinted.push(...kept);
    const reconciler = scene.open("w");
    reconciler.hurry();
    await eventually("it is back", () => scene.core.hinted.length === 2);
    await reconciler.close();
    assert.deepEqual(
      scene.core.hinted.map(({ id, run, lane, delayMs }) => [id, run, lane, delayMs]).slice(1),
      [[lost.id, 1, "worker", 0]],
    );
    assert.equal(
      scene.core.hinted.some(({ id }) => id === fresh.id),
      false,
    );
  });

  it("restores every hint at once when Redis has lost its data", async () => {
    const fresh = await scene.core.submit(scene.user);
    scene.core.hinted.length = 0;
    const reconciler = scene.open("w");
    await eventually(
      "it has the duty",
      async () => (await scene.core.database.sql`select 1 from duties`).length === 1,
    );
    assert.equal(
      scene.core.hinted.some(({ id }) => id === fresh.id),
      false,
    );
    scene.redis.forgotten = true;
    await eventually("it is back", () => scene.core.hinted.some(({ id }) => id === fresh.id), 3000);
    scene.redis.forgotten = false;
    await reconciler.close();
  });

  it("cancels members of a group that another process has only marked", async () => {
    const { core, user } = scene;
    const submission = groupOf({ a: [], b: ["a"] });
    const group = await core.queuedJobs.enqueueGroup(user.id, { submission, requestId: "test" });
    await core.database.sql`update queued_jobs set cancelling = 'OWNER'
      where group_id = ${group.id}`;
    const reconciler = scene.open("w");
    reconciler.hurry();
    await eventually(
      "both are cancelled",
      async () => (await core.queuedJobs.findGroup(user, group.id))?.cancelled === 2,
    );
    await reconciler.close();
  });

  it("takes over a lapsed attempt: RETRYING at first, STALLED at the second", async () => {
    const queuedJob = await scene.core.submit(scene.user);
    const reconciler = scene.open("w");
    for (const [i, last] of ["RETRYING", "FAILED"].entries()) {
      await scene.core.start(queuedJob, "dead");
      await scene.core.database.sql`update queued_jobs set lease_until = now() - interval '1 second'
            where id = ${queuedJob.id}`;
      reconciler.hurry();
      await eventually(
        `death ${i + 1} is found`,
        async () => (await typesOf(queuedJob.id)).at(-1) === last,
      );
    }
    await reconciler.close();
    const row = await scene.core.queuedJobs.find({ id: "", role: "ADMIN" }, queuedJob.id);
    assert.deepEqual(
      [row?.status, row?.attempts, row?.error],
      [
        "FAILED",
        2,
        {
          code: "STALLED",
          message:
            "The worker of this attempt died or lost its connection. This happened 2 times, " +
            "so there is no further attempt.",
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
  });

  it("leaves alone an attempt whose lease holds", async () => {
    const queuedJob = await scene.core.submit(scene.user);
    await scene.core.start(queuedJob);
    let passes = 0;
    const reconciler = scene.open(
      "w",
      { hintDue: async (sweep) => (sweep.pass([], 1), passes++ > 0 ? 0 : 1) },
      5,
    );
    await eventually("it has checked", () => passes > 2);
    await reconciler.close();
    assert.deepEqual(await typesOf(queuedJob.id), ["QUEUED", "STARTED"]);
  });

  it("runs on one worker at a time, and on another when the first does not renew it", async () => {
    const passes = { first: 0, second: 0 };
    const first = scene.open("first", { takeOverLapsed: async () => passes.first++ }, 5);
    await eventually("the first has it", () => passes.first > 0);
    const second = scene.open("second", { takeOverLapsed: async () => passes.second++ }, 5);
    const seen = passes.first;
    await eventually("the first continues", () => passes.first > seen + 5);
    assert.equal(passes.second, 0);
    await first.close();
    await scene.core.database.sql`update duties set held_until = now() - interval '1 second'`;
    await eventually("the second has it", () => passes.second > 0);
    await second.close();
    assert.deepEqual(
      (await scene.core.database.sql`select name, holder from duties`).map((row) => [
        row["name"],
        row["holder"],
      ]),
      [["reconcile", "second"]],
    );
  });

  it("runs again at once when it is hurried during a pass, and never twice at a time", async () => {
    let running = 0;
    let most = 0;
    let passes = 0;
    let go: () => void = () => {};
    const reconciler = scene.open("w", {
      async takeOverLapsed() {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => (go = resolve));
        running--;
        return passes++;
      },
      hintDue: async (sweep) => (sweep.pass([], 1), 0),
    });
    await eventually("it works", () => running === 1);
    for (let i = 0; i < 5; i++) reconciler.hurry();
    go();
    await eventually("it works again", () => passes === 1 && running === 1);
    go();
    await eventually("it rests", () => passes === 2 && running === 0);
    await reconciler.close();
    assert.equal(most, 1);
  });

  it("closes after the pass under way has ended, and starts nothing more", async () => {
    let go: () => void = () => {};
    let pages = 0;
    let closed = false;
    const reconciler = scene.open("w", {
      async hintDue() {
        pages++;
        await new Promise<void>((resolve) => (go = resolve));
        return 1;
      },
    });
    await eventually("it works", () => pages === 1);
    const closing = reconciler.close().then(() => (closed = true));
    await scene.core.database.sql`select 1`;
    assert.equal(closed, false);
    go();
    await closing;
    assert.equal(pages, 1);
  });
});
