import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Queue } from "bullmq";
import { ServiceUnavailableError } from "../../src/errors.js";
import { createLoggerTo } from "../../src/logger.js";
import { createRedis } from "../../src/redis.js";
import { createSchedule } from "../../src/worker/schedule.js";
import type { Chores } from "../../src/worker/schedule.js";
import { eventually } from "../support/eventually.js";
import { silentLog } from "../support/silent-log.js";
import { testRedis } from "../support/test-redis.js";

const EVERY = { purge: 15_000, sweepFiles: 3_600_000, makePreviews: 10_000, recount: 86_400_000, countLostFiles: 86_400_000 };

describe("the schedule", () => {
  it("is in Redis once, however many workers put it there, and one of them does each chore", async () => {
    const { url, prefix } = testRedis();
    const done: string[] = [];
    const chore = (name: string) => async () => void done.push(name);
    const chores = Object.fromEntries(Object.keys(EVERY).map((name) => [name, chore(name)])) as unknown as Chores;
    const workers = [1, 2, 3].map(() => createSchedule({ redisUrl: url, prefix, chores, log: silentLog }));
    const connection = createRedis({ url, purpose: "tests", failFast: false, log: silentLog });
    const queue = new Queue("upkeep", { connection, prefix });
    const schedulers = await eventually("it is in place", async () => {
      const found = await queue.getJobSchedulers();
      return found.length === Object.keys(EVERY).length && found;
    });
    assert.deepEqual(Object.fromEntries(schedulers.map(({ key, every }) => [key, Number(every)])), EVERY);
    await eventually("the first is done", () => done.includes("purge"));
    for (const worker of workers) await worker.close();
    assert.deepEqual(done.filter((name) => name === "purge"), ["purge"]);
    await queue.close();
    connection.disconnect();
  });

  it("goes on after a fault, which is an error in the log unless a store was away", async () => {
    const { url, prefix } = testRedis();
    const lines: Record<string, unknown>[] = [];
    const log = createLoggerTo({ write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
    let asked = 0;
    const faults = [new TypeError("a bug"), new ServiceUnavailableError("The database is away; try again in a moment.")];
    const fail = async (): Promise<never> => {
      const fault = faults[asked++];
      if (fault) throw fault;
      return undefined as never;
    };
    const chores: Chores = { purge: fail, sweepFiles: fail, makePreviews: fail, recount: fail, countLostFiles: fail };
    const schedule = createSchedule({ redisUrl: url, prefix, chores, log });
    await eventually("all were tried", () => asked === 5);
    await schedule.close();
    assert.deepEqual(lines.map(({ level, msg }) => [level, msg]), [[50, "a chore failed; it comes again"]]);
  });

  it("begins no chore beside itself, and holds up none by another that takes long", async () => {
    const { url, prefix } = testRedis();
    let [begun, purged] = [0, 0];
    let end = (): void => {};
    const long = new Promise<void>((resolve) => (end = resolve));
    const idle = async () => 0;
    const chores: Chores = { purge: async () => (purged++, { queuedJobs: 0, events: 0 }), sweepFiles: async () => (begun++, await long, 0), makePreviews: idle, recount: idle, countLostFiles: idle };
    const schedule = createSchedule({ redisUrl: url, prefix, chores, log: silentLog });
    const connection = createRedis({ url, purpose: "tests", failFast: false, log: silentLog });
    const queue = new Queue("upkeep", { connection, prefix });
    await eventually("the long one has begun", () => begun === 1);
    await queue.add("sweepFiles", {});
    await queue.add("purge", {});
    await eventually("the other was done twice", () => purged === 2);
    assert.equal(begun, 1);
    end();
    await schedule.close();
    await queue.close();
    connection.disconnect();
  });
});
