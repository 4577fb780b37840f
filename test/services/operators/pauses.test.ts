import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { createPauses, type Pauses } from "../../../src/services/operators/pauses.js";
import type { User } from "../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const BY = { actor: "admin", requestId: "request" };

describe("a pause", () => {
  let services: TestServices;
  let pauses: Pauses;
  let user: User;
  let reports = 0;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    const { sql } = services.database;
    await sql`delete from pauses`;
    await sql`delete from queued_jobs`;
    reports = 0;
    const hints = { reportLost: async () => void reports++ };
    pauses = createPauses({ database: services.database, hints });
    user = await services.newUser();
  });
  after(() => services.close());
  const request = ({ id }: { id: string }, run = 1) => ({ id, run, userId: user.id, worker: "w" });
  const start = async (row: { id: string }) =>
    (await services.queuedJobs.start(request(row))) !== null;
  const pause = (kind: "JOB" | "USER", subject: string, reason = "") =>
    pauses.pause({ kind, subject, reason }, BY);

  it("of a Job keeps all its QueuedJobs from starting, alone or in a batch, until its end", async () => {
    const photo = await services.newPhoto(user);
    const waiting = await services.submitMany(user, [{}, {}, {}, {}]);
    const other = await services.submit(user, { job: "album", photoIds: [photo.id] });
    await pause("JOB", "echo", "a bad release");
    for (const row of waiting) assert.equal(await start(row), false);
    assert.deepEqual(await Promise.all([...waiting, other].map(start)), [
      ...waiting.map(() => false),
      true,
    ]);
    // Their hints are spent, and no row has changed.
    for (const row of waiting) {
      assert.equal(await services.queuedJobs.claimableIn(request(row)), null);
      assert.deepEqual(
        [(await services.row(row.id)).status, (await services.row(row.id)).version],
        ["PENDING", 1],
      );
    }
    assert.equal(reports, 0);
    assert.equal(await pauses.resume({ kind: "JOB", subject: "echo" }, BY), true);
    assert.equal(reports, 1);
    assert.ok((await services.queuedJobs.claimableIn(request({ id: waiting[0]?.id ?? "" }))) ?? 0);
    assert.deepEqual(
      await Promise.all(waiting.map(start)),
      waiting.map(() => true),
    );
    assert.equal(await pauses.resume({ kind: "JOB", subject: "echo" }, BY), false);
    assert.equal(reports, 1);
  });

  it("of a user concerns this user only, by id or e-mail in any case", async () => {
    const other = await services.newUser();
    const [mine, theirs] = [await services.submit(user), await services.submit(other)];
    for (const subject of [user.email.toUpperCase(), user.id.toUpperCase()]) {
      await pause("USER", subject);
      assert.deepEqual(
        (await pauses.list()).map(({ kind, subject: id, email }) => [kind, id, email]),
        [["USER", user.id, user.email]],
      );
      assert.equal(await start(mine), false);
      await pauses.resume({ kind: "USER", subject: user.id }, BY);
    }
    await pause("USER", user.id);
    assert.equal(await start(mine), false);
    const claim = { ...request(theirs), userId: other.id };
    assert.ok(await services.queuedJobs.start(claim));
    await pauses.resume({ kind: "USER", subject: user.id }, BY);
    assert.equal(await start(mine), true);
  });

  it("lets a running attempt go on: it fails, returns and waits", async () => {
    const running = await services.start(await services.submit(user, { job: "echo" }));
    await pause("JOB", "echo");
    const fault = { code: "TASK_FAILED", message: "no", permanent: false };
    assert.equal(await services.queuedJobs.fail(running, fault), "RETRYING");
    await services.database.sql`update queued_jobs set due_at = now() - interval '1 second'`;
    assert.equal(await services.queuedJobs.start(request(running, 2)), null);
    assert.equal((await services.queuedJobs.cancel(user, running.id)).status, "CANCELLED");
  });

  it("is listed with its operator and reason, newest first, and a second one replaces it", async () => {
    await pause("JOB", "echo", "first");
    await pause("USER", user.id, "<b>rude</b>");
    await pause("JOB", "echo", "second");
    const list = await pauses.list();
    assert.deepEqual(
      list.map(({ kind, actor, reason }) => [kind, actor, reason]),
      [
        ["JOB", "admin", "second"],
        ["USER", "admin", "<b>rude</b>"],
      ],
    );
    assert.ok(Math.abs(Date.parse(list[0]?.at ?? "") - Date.now()) < 60_000);
  });

  it("is known at once to its process, and after a second to the others", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const { database } = services;
    const others = createPauses({
      database,
      hints: { reportLost: async () => {} },
    });
    assert.equal((await others.known()).jobs.has("echo"), false);
    assert.equal((await pauses.known()).jobs.has("echo"), false);
    await pause("JOB", "echo");
    await pause("USER", user.id);
    const { jobs, users } = await pauses.known();
    assert.deepEqual([[...jobs], [...users]], [["echo"], [user.id]]);
    assert.equal((await others.known()).jobs.has("echo"), false);
    t.mock.timers.tick(1001);
    assert.equal((await others.known()).jobs.has("echo"), true);
  });

  it("is refused for an unknown Job or user, an ambiguous e-mail address, and a long reason", async () => {
    const { sql } = services.database;
    const refusal = (message: RegExp, code: string) => ({ code, message });
    await assert.rejects(pause("JOB", "nothing"), refusal(/no Job "nothing"/, "NOT_FOUND"));
    for (const unknown of ["someone@example.test", uuidv7(), "", "a\0b"])
      await assert.rejects(pause("USER", unknown), { code: "NOT_FOUND" });
    const namesake = await services.newUser();
    await sql`update users set email = ${user.email} where id = ${namesake.id}`;
    await assert.rejects(
      pause("USER", user.email),
      refusal(/several users have this e-mail address/, "BAD_USER_INPUT"),
    );
    await assert.rejects(pause("JOB", "echo", "x".repeat(201)), { code: "BAD_USER_INPUT" });
    await assert.rejects(pause("JOB", "echo", "a\0b"), { code: "BAD_USER_INPUT" });
    assert.deepEqual(await pauses.list(), []);
  });

  it("is one of at most a thousand", async () => {
    const { sql } = services.database;
    await sql`insert into pauses (kind, subject, at, actor, reason)
      select 'USER', gen_random_uuid(), now(), 'admin', '' from generate_series(1, 999)`;
    await pause("JOB", "echo");
    await pause("JOB", "echo", "again");
    await assert.rejects(pause("USER", user.id), {
      code: "BAD_USER_INPUT",
      message: "at most 1000 pauses are allowed; resume one before you add another",
    });
  });
});
