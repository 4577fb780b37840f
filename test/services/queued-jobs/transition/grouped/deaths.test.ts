import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { armFailpoints } from "../../../../../src/runtime/failpoint.js";
import { DueSweep } from "../../../../../src/services/queued-jobs/maintenance.js";
import type { User } from "../../../../../src/services/users/users.js";
import { assertConsistent } from "../../../../support/asserts/assert-consistent.js";
import { RUNS_LONG } from "../../../../support/runner/long.js";
import { seededRandom } from "../../../../support/runner/seeded-random.js";
import { groupOf } from "../../../../support/service/group-of.js";
import {
  createTestServices,
  type TestServices,
} from "../../../../support/service/test-services.js";
import { assertExactCounts } from "./exact-counts.js";

const GROUP = groupOf({
  a: [],
  b: ["a"],
  c: ["b"],
  d: { after: ["a"], runsAnyway: true },
  e: ["d"],
  f: [],
});
const { seed, below } = seededRandom();
const FAULT = { code: "TASK_FAILED", message: "No.", permanent: true };

describe("a process that dies in the middle of a group's life", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(async () => {
    armFailpoints(async () => {});
    await services.close();
  });

  /** All that can happen to a group; each call of `step` is one request or attempt. */
  async function live(user: User, step: <T>(work: () => Promise<T>) => Promise<T>): Promise<void> {
    const { queuedJobs } = services;
    const group = await step(() =>
      queuedJobs.enqueueGroup(user.id, { submission: GROUP, requestId: "request" }),
    );
    const start = async (key: string) => {
      const [row] = await services.database.sql<{ id: string; run: number }[]>`
        select id, run from queued_jobs where group_id = ${group.id} and group_key = ${key}`;
      const claim = { id: row?.id ?? "", run: row?.run ?? 0, worker: "worker", grouped: true };
      return (await step(() => queuedJobs.start(claim))) ?? assert.fail(`${key} is not due`);
    };
    const succeed = async (key: string) => {
      const claimed = await start(key);
      await step(() => queuedJobs.succeed(claimed, null, []));
    };
    const failing = await start("a");
    await step(() => queuedJobs.fail(failing, FAULT));
    await succeed("d");
    await start("f");
    await step(() => queuedJobs.cancelGroup(user, group.id));
    await step(() => queuedJobs.retryGroup(user, group.id));
    await succeed("a");
    await step(() => queuedJobs.cancelGroup(user, group.id));
    await step(() => queuedJobs.removeGroup(user, group.id));
  }

  /** Returns false if the process lived to the end. */
  async function liveUntil(point: number, user: User): Promise<boolean> {
    let passed = 0;
    const isDead = () => passed > point;
    armFailpoints(async (name) => {
      passed++;
      // A submission does not wait for what follows its commit.
      if (isDead() && name === "accept: after the commit") await new Promise(() => {});
      if (isDead()) throw new Error("the process died");
    });
    const step = async <T>(work: () => Promise<T>): Promise<T> => {
      const result = await work();
      if (isDead()) throw new Error("the process died");
      return result;
    };
    const ended = await live(user, step).catch((error: unknown) => error);
    armFailpoints(async () => {});
    if (ended && !isDead()) throw ended;
    return isDead();
  }

  /** What another worker does: reconcile, and run what it has a hint for. */
  async function recover(user: User): Promise<void> {
    const { database, queuedJobs, offered } = services;
    await database.sql`update queued_jobs set lease_until = now() - interval '1 second'
      where user_id = ${user.id} and status = 'STARTED'`;
    for (let i = 0; i < 10; i++) {
      await queuedJobs.takeOverLapsed(100);
      await queuedJobs.cancelMarked();
      await database.sql`update job_groups set expires_at = now() - interval '1 second'
        where user_id = ${user.id} and deleted_at is not null`;
      await queuedJobs.removeExpired(100);
      await database.sql`update queued_jobs set updated_at = now() - interval '6 seconds'
        where user_id = ${user.id} and status = 'PENDING'`;
      offered.length = 0;
      const sweep = new DueSweep({ patient: true });
      while (!sweep.ended) await queuedJobs.hintDue(sweep, 100);
      if (offered.length === 0) return;
      for (const { id, run } of offered) {
        const claimed = await queuedJobs.start({ id, run, worker: "other" });
        if (claimed) await queuedJobs.succeed(claimed, null, []);
      }
    }
  }

  it("leaves a group that others bring to its end, wherever it dies", async () => {
    const { sql } = services.database;
    const every = RUNS_LONG ? 1 : 7;
    let points = below(every);
    for (let died = true; died; points += every) {
      const user = await services.newUser();
      died = await liveUntil(points, user);
      await recover(user);
      const [group] = await sql<{ id: string; total: number; unfinished: number; gone: boolean }[]>`
        select id, total, pending + started as unfinished, deleted_at is not null as gone
        from job_groups where user_id = ${user.id}`;
      assert.deepEqual([group?.unfinished ?? 0, group?.gone ?? false], [0, false], `${points}`);
      await assertConsistent(sql, user.id);
      if (group) await assertExactCounts(sql, group, `after death ${points}, seed ${seed}`);
      assert.ok(died || !group, "the last life ends with the removal");
    }
    assert.ok(points > 20, `only ${points} points`);
  });
});
