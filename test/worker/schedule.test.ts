import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Queue } from "bullmq";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { createLoggerTo } from "../../src/runtime/logger.js";
import { createRedis } from "../../src/runtime/redis.js";
import { createDuties, type Duties } from "../../src/services/maintenance/duties.js";
import {
  createSchedule,
  type Schedule,
  type ScheduledTask,
  type ScheduleOptions,
} from "../../src/worker/schedule.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";
import { testRedis } from "../support/stores/test-redis.js";

const HOUR_MS = 3_600_000;

describe("the schedule of maintenance", () => {
  let store: TestDatabase;
  let duties: Duties;
  before(async () => {
    store = await createTestDatabase();
    duties = createDuties(store.database);
  });
  const scenes: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.close();
  });
  after(() => store.close());

  const task = (
    run: ScheduledTask["run"] | (() => Promise<unknown>),
    more: Partial<ScheduledTask> = {},
  ): ScheduledTask => ({
    everyMs: HOUR_MS,
    lateAfterMs: 2 * HOUR_MS,
    run: async (slice) => ((await run(slice)) as string | undefined) ?? null,
    ...more,
  });
  let workers = 0;

  /** A Redis prefix, schedules on it, and a function that makes the next run of a task due. */
  function open() {
    const redis = testRedis();
    const lines: Record<string, unknown>[] = [];
    const log = createLoggerTo({
      write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    });
    const connection = createRedis({
      url: redis.url,
      prefix: redis.prefix,
      purpose: "tests",
      failFast: false,
      log: silentLog,
    });
    const queue = new Queue("upkeep", { connection, prefix: redis.prefix });
    const schedules: Schedule[] = [];
    const scene = {
      queue,
      connection,
      lines,
      key: (name: string) => `${redis.prefix}:maintenance:${name}`,
      start(tasks: ScheduleOptions["tasks"], more: Partial<ScheduleOptions> = {}): Schedule {
        const schedule = createSchedule({
          redisUrl: redis.url,
          prefix: redis.prefix,
          tasks,
          duties,
          worker: `worker ${++workers}`,
          log,
          ...more,
        });
        schedules.push(schedule);
        return schedule;
      },
      next: (name: string) => queue.add(name, {}, { removeOnComplete: true }),
      async close() {
        for (const schedule of schedules) await schedule.close();
        await queue.close();
        connection.disconnect();
      },
    };
    scenes.push(scene);
    return scene;
  }

  it("is in Redis once for many workers, and each run happens on one of them", async () => {
    const scene = open();
    const done: string[] = [];
    const tasks = Object.fromEntries(
      ["a", "b", "c"].map((name) => [name, task(async () => void done.push(name))]),
    );
    for (let i = 0; i < 3; i++) scene.start(tasks);
    const schedulers = await eventually("it is in place", async () => {
      const found = await scene.queue.getJobSchedulers();
      return found.length === 3 && found;
    });
    assert.deepEqual(Object.fromEntries(schedulers.map(({ key, every }) => [key, Number(every)])), {
      a: HOUR_MS,
      b: HOUR_MS,
      c: HOUR_MS,
    });
    await eventually("all are done", () => done.length >= 3);
    assert.deepEqual(done.toSorted(), ["a", "b", "c"]);
  });

  it("never runs a task twice at a time, and a long task does not delay the others", async () => {
    const scene = open();
    let [started, quick] = [0, 0];
    let end = (): void => {};
    const long = new Promise<void>((resolve) => (end = resolve));
    scene.start({ long: task(() => (started++, long)), quick: task(async () => void quick++) });
    await eventually("the long one has started", () => started === 1);
    await scene.next("long");
    await scene.next("quick");
    await eventually("the other was done twice", () => quick === 2);
    assert.equal(started, 1);
    end();
  });

  it("keeps an exclusive task on one worker until it ends or the worker dies", async () => {
    const scene = open();
    const started: string[] = [];
    let end = (): void => {};
    const long = new Promise<void>((resolve) => (end = resolve));
    const sweep = (who: string) => ({
      sweep: task(() => (started.push(who), long), { exclusive: true }),
    });
    const first = scene.start(sweep("first"));
    await eventually("the first has started", () => started.length === 1);
    scene.start(sweep("second"));
    for (let i = 0; i < 3; i++) await scene.next("sweep");
    await eventually(
      "its other runs are over",
      async () =>
        (await scene.queue.getJobCounts("waiting"))["waiting"] === 0 &&
        (await scene.queue.getJobCounts("active"))["active"] === 1,
    );
    assert.deepEqual(started, ["first"]);
    // Simulates the death of the first worker, with a lapsed duty.
    await store.database
      .sql`update duties set held_until = clock_timestamp() - interval '1 ms', holder = 'dead'
          where name = 'maintenance sweep'`;
    await eventually(
      "the second has started",
      async () => started.length === 2 || (await scene.next("sweep"), false),
    );
    assert.equal(started[1], "second");
    end();
    await first.close();
  });

  it("interrupts a task with a lost duty or a closing worker, uncounted", async () => {
    const scene = open();
    const reasons: string[] = [];
    let started = 0;
    const untilAborted: ScheduledTask["run"] = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () =>
          reject(reasons.push((signal.reason as Error).message) && (signal.reason as Error)),
        );
        started++;
      });
    const schedule = scene.start({ closing: task(untilAborted) });
    await eventually("it has started", () => started === 1);
    await schedule.close();
    assert.deepEqual(reasons, ["The worker is closing"]);
    assert.deepEqual(
      scene.lines.filter(({ level }) => Number(level) >= 40),
      [],
    );
  });

  it("continues each slice where the last one ended, and waits between passes", async () => {
    const scene = open();
    const froms: (string | null)[] = [];
    const passes = {
      pass: task(
        async ({ from }) => (
          froms.push(from),
          froms.length % 3 === 0 ? null : `after ${froms.length}`
        ),
        { passMs: HOUR_MS },
      ),
    };
    const first = scene.start(passes);
    await eventually("the first slice is done", () => froms.length === 1);
    await first.close();
    scene.start(passes);
    await eventually(
      "two more slices are done",
      async () => froms.length === 3 || (await scene.next("pass"), false),
    );
    assert.deepEqual(froms, [null, "after 1", "after 2"]);
    for (let i = 0; i < 3; i++) await scene.next("pass");
    await eventually("the queue is empty", async () =>
      Object.values(await scene.queue.getJobCounts("waiting", "active")).every(
        (count) => count === 0,
      ),
    );
    assert.equal(froms.length, 3, "the pass has ended");
    await scene.connection.hset(scene.key("pass"), "passStartedAt", Date.now() - HOUR_MS - 1000);
    await eventually(
      "the next pass begins",
      async () => froms.length === 4 || (await scene.next("pass"), false),
    );
    assert.equal(froms[3], null);
  });

  it("logs and counts every failure except the first one of an outage", async () => {
    const scene = open();
    const away = new ServiceUnavailableError("The database is unavailable; try again in a moment.");
    const faults: (Error | null)[] = [away, null, away, away, new TypeError("a bug")];
    const failed: string[] = [];
    let runs = 0;
    scene.start(
      {
        shaky: task(async () => {
          const fault = faults[runs++];
          if (fault) throw fault;
        }),
      },
      { onFailure: (name) => failed.push(name) },
    );
    for (let i = 1; i <= faults.length; i++) {
      await eventually(`run ${i} is over`, () => runs === i);
      await eventually(
        "it is noted",
        async () => (await scene.queue.getJobCounts("active"))["active"] === 0,
      );
      await scene.next("shaky");
    }
    const errors = scene.lines
      .filter(({ level }) => level === 50)
      .map(({ msg, task: name, misses, err }) => [msg, name, misses, (err as Error).message]);
    assert.deepEqual(errors, [
      ["a maintenance task failed; the next interval tries again", "shaky", 2, away.message],
      ["a maintenance task failed; the next interval tries again", "shaky", 3, "a bug"],
    ]);
    assert.deepEqual(failed, ["shaky", "shaky"]);
  });

  it("knows the last success on any worker, and logs once that a task is late", async () => {
    const scene = open();
    const [first, second] = [
      scene.start({
        good: task(async () => {}),
        bad: task(() => Promise.reject(new Error("broken"))),
      }),
      scene.start({
        good: task(async () => {}),
        bad: task(() => Promise.reject(new Error("broken"))),
      }),
    ];
    const successes = await eventually("both are noted", async () => {
      const found = await second.lastSuccesses();
      return (
        found.length === 2 && Object.fromEntries(found.map(({ task: name, at }) => [name, at]))
      );
    });
    assert.ok(Math.abs((successes["good"] ?? 0) - Date.now() / 1000) < 60);
    await first.close();
    await scene.connection.hset(scene.key("bad"), "succeededAt", Date.now() - 3 * HOUR_MS);
    scene.lines.length = 0;
    scene.start({ bad: task(() => Promise.reject(new Error("broken"))) });
    await eventually("it is logged", () =>
      scene.lines.some(({ msg }) => msg === "a maintenance task is late"),
    );
    assert.deepEqual(
      scene.lines
        .filter(({ msg }) => msg === "a maintenance task is late")
        .map(({ level, task: name }) => [level, name]),
      [[50, "bad"]],
    );
  });
});
