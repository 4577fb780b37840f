import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  createWorkerRegister,
  type WorkerRegister,
  type WorkerReport,
} from "../../../src/services/operators/worker-register.js";
import { createBacklogReads } from "../../../src/services/reads/backlog.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const BY = { actor: "admin", requestId: "request" };
const REPORT: WorkerReport = {
  name: "host:1:a",
  version: "0.1.0",
  revision: null,
  host: "host",
  pid: 1,
  state: "running",
  tasks: 100,
  children: 2,
  rssBytes: 5_000_000_000,
  running: [],
};

describe("the register of workers", () => {
  let services: TestServices;
  let register: WorkerRegister;
  before(async () => {
    services = await createTestServices();
    register = createWorkerRegister(services.database);
  });
  beforeEach(async () => {
    await services.database.sql`delete from workers`;
    await services.database.sql`delete from queued_jobs`;
  });
  after(() => services.close());
  /** Ages the last heartbeat of a worker. */
  const silence = (name: string, seconds: number) =>
    services.database.sql`update workers set heartbeat_at = heartbeat_at - ${seconds} *
      interval '1 second' where name = ${name}`;
  const statesOf = async () =>
    (await register.list()).map(({ name, state }) => [name.slice(-1), state]);

  it("shows a worker as it reported itself last, since its last change of state", async () => {
    await register.beat(REPORT);
    const [first] = await register.list();
    await services.database.sql`update workers set state_since = state_since - interval '1 minute'`;
    await register.beat({ ...REPORT, rssBytes: 6_000_000_000 });
    const [second] = await register.list();
    assert.deepEqual(
      [second?.rssBytes, second?.startedAt, second?.state, second?.attempts],
      [6_000_000_000, first?.startedAt, "running", []],
    );
    assert.ok(Date.parse(second?.stateSince ?? "") < Date.parse(first?.stateSince ?? "") - 50_000);
    await register.beat({ ...REPORT, state: "draining" });
    const [third] = await register.list();
    assert.equal(third?.state, "draining");
    assert.ok(Date.parse(third?.stateSince ?? "") >= Date.parse(first?.startedAt ?? ""));
  });

  it("shows the attempts that a worker runs, without those of others", async () => {
    const user = await services.newUser();
    const [mine, theirs, done] = [
      await services.submit(user),
      await services.submit(user),
      await services.submit(user),
    ];
    for (const { id } of [mine, done])
      await services.queuedJobs.start({ id, run: 1, worker: REPORT.name });
    await services.queuedJobs.start({ id: theirs.id, run: 1, worker: "other" });
    await services.queuedJobs.cancel(user, done.id);
    await register.beat({ ...REPORT, running: [done.id] });
    assert.deepEqual(
      (await register.list())[0]?.attempts.map(({ id, status, isOwn }) => [id, status, isOwn]),
      [[mine.id, "STARTED", true]],
    );
  });

  it("shows a worker without heartbeats as lost, with what it ran and what became of it", async () => {
    const user = await services.newUser();
    const [held, taken] = [await services.submit(user), await services.submit(user)];
    for (const { id } of [held, taken])
      await services.queuedJobs.start({ id, run: 1, worker: REPORT.name });
    await register.beat({ ...REPORT, running: [held.id, taken.id] });
    await services.database.sql`update queued_jobs set lease_until = now() - interval '1 second'
      where id = ${taken.id}`;
    await services.queuedJobs.takeOverLapsed(10);
    await silence(REPORT.name, 15);
    assert.deepEqual(await statesOf(), [["a", "running"]]);
    await silence(REPORT.name, 6);
    const [lost] = await register.list();
    assert.equal(lost?.state, "lost");
    assert.equal(lost?.stateSince, lost?.heartbeatAt);
    assert.deepEqual(
      lost?.attempts.map(({ id, status, isOwn }) => [id, status, isOwn]),
      [
        [held.id, "STARTED", true],
        [taken.id, "PENDING", false],
      ],
    );
    await register.beat(REPORT);
    assert.deepEqual(await statesOf(), [["a", "running"]]);
  });

  it("keeps a stopped worker for a day, first lists those that run, and counts all states", async () => {
    for (const name of ["a", "b", "c", "d"]) await register.beat({ ...REPORT, name });
    await register.beat({ ...REPORT, name: "b", state: "stopped" });
    await register.beat({ ...REPORT, name: "c", state: "draining" });
    await silence("b", 3600);
    await silence("d", 30);
    assert.deepEqual(await statesOf(), [
      ["c", "draining"],
      ["a", "running"],
      ["d", "lost"],
      ["b", "stopped"],
    ]);
    const { workers } = await createBacklogReads(services.database).read();
    assert.deepEqual(
      workers.toSorted((one, other) => one.state.localeCompare(other.state)),
      ["draining", "lost", "running", "stopped"].map((state) => ({ state, count: 1 })),
    );
    assert.equal(await register.purge(), 0);
    for (const name of ["b", "d"]) await silence(name, 24 * 3600);
    assert.equal(await register.purge(), 2);
    assert.equal((await register.list()).length, 2);
  });

  it("returns the orders with each heartbeat: to drain, and what is paused", async () => {
    const { sql } = services.database;
    const none = { drain: false, pausedJobs: [], pausedUsers: 0 };
    assert.deepEqual(await register.beat(REPORT), none);
    assert.equal(await register.order(REPORT.name, true, BY), true);
    await sql`insert into pauses (kind, subject, at, actor, reason) values
      ('JOB', 'echo', now(), 'admin', ''), ('USER', gen_random_uuid(), now(), 'admin', '')`;
    assert.deepEqual(await register.beat(REPORT), {
      drain: true,
      pausedJobs: ["echo"],
      pausedUsers: 1,
    });
    await sql`delete from pauses`;
    assert.equal(await register.order(REPORT.name, false, BY), true);
    assert.deepEqual(await register.beat(REPORT), none);
    for (const unknown of ["other", "", "a\0b"])
      assert.equal(await register.order(unknown, true, BY), false);
  });
});
