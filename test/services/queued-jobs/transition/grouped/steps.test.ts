import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { JobGroup } from "../../../../../src/domain/job-group.js";
import { armFailpoints } from "../../../../../src/runtime/failpoint.js";
import type { GroupSubmission } from "../../../../../src/services/queued-jobs/groups/check-group.js";
import type { User } from "../../../../../src/services/users/users.js";
import { assertConsistent } from "../../../../support/asserts/assert-consistent.js";
import { groupOf } from "../../../../support/service/group-of.js";
import {
  createTestServices,
  type TestServices,
} from "../../../../support/service/test-services.js";

describe("the steps of a group", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(async () => {
    await assertConsistent(services.database.sql);
    await services.close();
  });

  interface Member {
    id: string;
    key: string;
    status: string;
    run: number;
    waitingFor: number;
  }

  async function membersOf({ id }: JobGroup): Promise<Map<string, Member>> {
    const rows = await services.database.sql<Member[]>`
      select id, group_key as key, status, run, waiting_for as "waitingFor" from queued_jobs
      where group_id = ${id}`;
    return new Map(rows.map((row) => [row.key, row]));
  }

  async function enqueue(submission: GroupSubmission): Promise<{ user: User; group: JobGroup }> {
    const user = await services.newUser();
    const group = await services.queuedJobs.enqueueGroup(user.id, {
      submission,
      requestId: "request",
    });
    return { user, group };
  }

  async function start(group: JobGroup, key: string) {
    const member = (await membersOf(group)).get(key);
    const claim = { id: member?.id ?? "", run: member?.run ?? 0, worker: "worker" };
    const claimed = await services.queuedJobs.start(claim);
    if (!claimed) throw new Error(`${key} could not be claimed`);
    return claimed;
  }

  async function succeed(group: JobGroup, key: string): Promise<void> {
    assert.ok(await services.queuedJobs.succeed(await start(group, key), key, []));
  }

  async function fail(group: JobGroup, key: string): Promise<void> {
    const fault = { code: "TASK_FAILED", message: "It failed.", permanent: true };
    await services.queuedJobs.fail(await start(group, key), fault);
  }

  async function statusesOf(group: JobGroup): Promise<Record<string, string>> {
    const members = [...(await membersOf(group)).values()];
    return Object.fromEntries(members.map(({ key, status }) => [key, status]));
  }

  /** The counts of each event of the group, in order: pending, started, succeeded and so on. */
  async function countsOf({ id }: JobGroup): Promise<string[]> {
    const rows = await services.database.sql<{ type: string; counts: number[] }[]>`
      select type, array[g->>'pending', g->>'started', g->>'succeeded', g->>'failed',
        g->>'cancelled'] as counts
      from queued_job_events, lateral (select snapshot->'member'->'group' as g) x
      where group_id = ${id} order by seq`;
    return rows.map(({ type, counts }) => `${type} ${counts.join(" ")}`);
  }

  const hinted = (id: string) => services.hinted.some((hint) => hint.id === id);

  it("make a successor due when its last predecessor has succeeded", async () => {
    const { group } = await enqueue(groupOf({ a: [], b: [], c: ["a", "b"] }));
    const c = (await membersOf(group)).get("c");
    assert.equal(c?.waitingFor, 2);
    await succeed(group, "a");
    assert.equal((await membersOf(group)).get("c")?.waitingFor, 1);
    assert.ok(!hinted(c?.id ?? ""));
    await assert.rejects(start(group, "c"), /could not be claimed/);
    await assertConsistent(services.database.sql);
    await succeed(group, "b");
    assert.equal((await membersOf(group)).get("c")?.waitingFor, 0);
    assert.ok(hinted(c?.id ?? ""));
    await succeed(group, "c");
    assert.deepEqual(await countsOf(group), [
      "QUEUED 3 0 0 0 0",
      "QUEUED 3 0 0 0 0",
      "QUEUED 3 0 0 0 0",
      "STARTED 2 1 0 0 0",
      "SUCCEEDED 2 0 1 0 0",
      "STARTED 1 1 1 0 0",
      "SUCCEEDED 1 0 2 0 0",
      "STARTED 0 1 2 0 0",
      "SUCCEEDED 0 0 3 0 0",
    ]);
  });

  it("cancel what depends on a failed predecessor, transitively", async () => {
    const { group } = await enqueue(groupOf({ a: [], b: ["a"], c: ["b"], d: [] }));
    await fail(group, "a");
    assert.deepEqual(await statusesOf(group), {
      a: "FAILED",
      b: "CANCELLED",
      c: "CANCELLED",
      d: "PENDING",
    });
    const { sql } = services.database;
    const codes = await sql<{ code: string }[]>`
      select error_code as code from queued_jobs where group_id = ${group.id} and status =
        'CANCELLED'`;
    assert.deepEqual(
      codes.map(({ code }) => code),
      ["PREDECESSOR_FAILED", "PREDECESSOR_FAILED"],
    );
  });

  it("never run what depends on a failed predecessor, even if its process dies then", async () => {
    const { group } = await enqueue(groupOf({ a: [], b: ["a"] }));
    armFailpoints(async (name) => {
      if (name === "group: before the next wave") throw new Error("the process died");
    });
    await fail(group, "a").finally(() => armFailpoints(async () => {}));
    assert.deepEqual(await statusesOf(group), { a: "FAILED", b: "PENDING" });
    await assert.rejects(start(group, "b"), /could not be claimed/);
    assert.equal(await services.queuedJobs.cancelMarked(), 1);
    assert.deepEqual(await statusesOf(group), { a: "FAILED", b: "CANCELLED" });
  });

  it("cancel a chain of 500 in statements of at most 200 rows", async () => {
    const keys = Array.from({ length: 500 }, (_, i) => `k${i}`);
    const follow = keys.map((key, i) => [key, keys.slice(Math.max(0, i - 1), i)] as const);
    const { group } = await enqueue(groupOf(Object.fromEntries(follow)));
    const claimed = await start(group, "k0");
    const earlier = services.notifications.length;
    const fault = { code: "TASK_FAILED", message: "It failed.", permanent: true };
    await services.queuedJobs.fail(claimed, fault);
    assert.deepEqual(services.notifications.slice(earlier), [1, 200, 200, 99]);
    const statuses = Object.values(await statusesOf(group));
    assert.equal(statuses.filter((status) => status === "CANCELLED").length, 499);
  });

  it("run a successor with ifPredecessorFails RUN after a failure", async () => {
    const { group } = await enqueue(
      groupOf({ a: [], b: { after: ["a"], runsAnyway: true }, c: ["b"] }),
    );
    await fail(group, "a");
    await succeed(group, "b");
    await succeed(group, "c");
    assert.deepEqual(await statusesOf(group), { a: "FAILED", b: "SUCCESS", c: "SUCCESS" });
  });

  it("show exact counts in a statement that cancels many rows", async () => {
    const { user, group } = await enqueue(groupOf({ a: [], b: ["a"], c: ["a", "b"], d: [] }));
    const cancelled = await services.queuedJobs.cancelGroup(user, group.id);
    assert.deepEqual([cancelled.pending, cancelled.cancelled], [0, 4]);
    assert.notEqual(cancelled.finishedAt, null);
    assert.deepEqual((await countsOf(group)).slice(4), [
      "CANCELLED 3 0 0 0 1",
      "CANCELLED 2 0 0 0 2",
      "CANCELLED 1 0 0 0 3",
      "CANCELLED 0 0 0 0 4",
    ]);
  });

  it("wait again for predecessors that are retried with them", async () => {
    const { user, group } = await enqueue(groupOf({ a: [], b: ["a"], c: ["b"] }));
    await fail(group, "a");
    const retried = await services.queuedJobs.retryGroup(user, group.id);
    assert.deepEqual([retried.pending, retried.finishedAt], [3, null]);
    const waits = [...(await membersOf(group)).values()].map(({ waitingFor }) => waitingFor);
    assert.deepEqual(waits.toSorted(), [0, 1, 1]);
    for (const key of ["a", "b", "c"]) await succeed(group, key);
    assert.deepEqual(await statusesOf(group), { a: "SUCCESS", b: "SUCCESS", c: "SUCCESS" });
  });

  it("refuse a statement that does not know groups", async () => {
    const { group } = await enqueue(groupOf({ a: [] }));
    const { sql } = services.database;
    await assert.rejects(
      sql`update queued_jobs set version = version + 1 where group_id = ${group.id}`,
      { constraint_name: "queued_jobs_grouped_version" },
    );
  });

  it("cancel rows that were marked by a process that died", async () => {
    const { group } = await enqueue(groupOf({ a: [], b: ["a"], c: ["b"] }));
    const { sql } = services.database;
    await sql`update queued_jobs set cancelling = 'PREDECESSOR' where group_id = ${group.id}
      and group_key = 'b'`;
    assert.equal(await services.queuedJobs.cancelMarked(), 2);
    assert.deepEqual(await statusesOf(group), { a: "PENDING", b: "CANCELLED", c: "CANCELLED" });
  });

  it("end when the group is deleted, with events that show no group", async () => {
    const { user, group } = await enqueue(groupOf({ a: [], b: ["a"] }));
    await assert.rejects(services.queuedJobs.removeGroup(user, group.id), { code: "CONFLICT" });
    await succeed(group, "a");
    await succeed(group, "b");
    const earlier = services.published.length;
    await services.queuedJobs.removeGroup(user, group.id);
    assert.equal(await services.queuedJobs.findGroup(user, group.id), null);
    assert.deepEqual(
      services.published.slice(earlier).map(({ type, queuedJob }) => [type, queuedJob.member]),
      [
        ["DELETED", undefined],
        ["DELETED", undefined],
      ],
    );
    assert.equal((await membersOf(group)).size, 0);
  });
});
