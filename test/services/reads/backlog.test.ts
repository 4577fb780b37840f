import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createBacklogReads } from "../../../src/services/reads/backlog.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("the backlog", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(() => services.close());
  const read = () => createBacklogReads(services.database).read();
  const age = (seconds: number) =>
    services.database.sql`update queued_jobs set due_at = due_at - ${seconds} * interval '1 second'
        where status = 'PENDING'`;

  it("is zero when nothing was submitted", async () => {
    const { pending, started, oldestWaitSeconds, jobs } = await read();
    assert.deepEqual([pending, started, oldestWaitSeconds, jobs], [0, 0, 0, []]);
  });

  it("counts waiting and running QueuedJobs by Job, without finished ones", async () => {
    const user = await services.newUser();
    const photo = await services.newPhoto(user);
    await services.submitMany(user, [{}, {}, { job: "album", photoIds: [photo.id] }]);
    await services.start(await services.submit(user));
    await services.finished(user);
    const { pending, started, jobs, connections } = await read();
    assert.deepEqual([pending, started], [3, 1]);
    assert.deepEqual(
      jobs.toSorted((a, b) => `${a.job} ${a.status}`.localeCompare(`${b.job} ${b.status}`)),
      [
        { job: "album", status: "PENDING", count: 1 },
        { job: "echo", status: "PENDING", count: 2 },
        { job: "echo", status: "STARTED", count: 1 },
      ],
    );
    assert.ok(connections.some(({ state, count }) => state === "active" && count >= 1));
  });

  it("reports how long the oldest due one has waited, and ignores later ones", async () => {
    const user = await services.newUser();
    await age(100);
    await services.submit(user, { runAt: new Date(Date.now() + 3_600_000) });
    const { pending, oldestWaitSeconds } = await read();
    assert.equal(pending, 4);
    assert.ok(oldestWaitSeconds >= 100 && oldestWaitSeconds < 130, String(oldestWaitSeconds));
    const { hasWaited } = createBacklogReads(services.database);
    assert.deepEqual(
      await Promise.all([
        hasWaited(["echo"], 60),
        hasWaited(["album"], 60),
        hasWaited(["thumbnail"], 60),
        hasWaited(["echo", "album"], 300),
      ]),
      [true, true, false, false],
    );
  });

  it("leaves paused QueuedJobs out of the waits, and counts them as waiting", async () => {
    const { sql } = services.database;
    const [{ pending }, { hasWaited }] = [await read(), createBacklogReads(services.database)];
    await sql`insert into pauses (kind, subject, at, actor, reason)
      values ('JOB', 'echo', now(), 'admin', '')`;
    const partly = await read();
    assert.deepEqual(
      [partly.pending, partly.oldestWaitSeconds > 60, partly.paused],
      [pending, true, [{ kind: "JOB", count: 1 }]],
    );
    assert.deepEqual(await Promise.all([hasWaited(["echo"], 60), hasWaited(["album"], 60)]), [
      false,
      true,
    ]);
    await sql`insert into pauses (kind, subject, at, actor, reason)
      select 'USER', user_id, now(), 'admin', '' from queued_jobs group by user_id`;
    assert.equal((await read()).oldestWaitSeconds, 0);
    assert.equal(await hasWaited(["album"], 60), false);
    await sql`delete from pauses`;
  });

  it("finds a Job that has waited behind thousands of another one", async () => {
    const { sql } = services.database;
    const user = await services.newUser();
    await sql`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at, created_at, updated_at, status)
      select gen_random_uuid(), ${user.id}, case when i = 3000 then 'hash' else 'crop'
        end, '{}', 0, 0, 'seed', now() - interval '1 hour' + i * interval '1 ms', now(), now(),
        'PENDING'
      from generate_series(1, 3000) i`;
    const { hasWaited } = createBacklogReads(services.database);
    assert.deepEqual(await Promise.all([hasWaited(["hash"], 60), hasWaited(["placeholder"], 60)]), [
      true,
      false,
    ]);
    await sql`delete from queued_jobs where user_id = ${user.id}`;
  });

  it("is read again only after a while", async () => {
    const reads = createBacklogReads(services.database);
    const first = await reads.read();
    await services.submit(await services.newUser());
    assert.equal(await reads.read(), first);
    const eager = createBacklogReads(services.database, { freshMs: -1 });
    assert.equal((await eager.read()).pending, first.pending + 1);
  });

  it("is estimated above 20,000, and bounded at any size", async () => {
    const { sql } = services.database;
    const user = await services.newUser();
    await sql`insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority,
      request_id, due_at, created_at, updated_at, status)
      select gen_random_uuid(), ${user.id}, 'echo', '{}', 0, 0, 'seed', now(), now(), now(),
        'PENDING' from generate_series(1, 30000)`;
    await sql`vacuum analyze queued_jobs`;
    const { pending, jobs, answerSeconds } = await read();
    assert.ok(pending > 29_000 && pending < 31_500, String(pending));
    assert.equal(
      jobs.reduce((sum, { status, count }) => sum + (status === "PENDING" ? count : 0), 0),
      5000,
    );
    assert.ok(answerSeconds > 0 && answerSeconds < 2, String(answerSeconds));
  });
});
