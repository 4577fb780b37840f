import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import postgres from "postgres";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { closeAccount } from "../../../src/services/users/accounts.js";
import {
  createAccountErasure,
  type AccountErasure,
} from "../../../src/services/users/erase-account.js";
import type { User } from "../../../src/services/users/users.js";
import { fillAccount } from "../../support/service/large-account.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("the data of a closed account", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    await services.database.sql`truncate users, queued_job_events cascade`;
    for (const list of [deleted, stopped, lines]) list.length = 0;
  });
  after(() => services.close());

  const deleted: string[] = [];
  const stopped: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const log = createLoggerTo({
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  /** A second instance, as in another process, with an empty cache. */
  const create = (): AccountErasure =>
    createAccountErasure({
      database: services.database,
      deleteFiles: async (keys) => void deleted.push(...keys),
      stopWork: (ids) => void stopped.push(...ids),
      log,
    });
  async function closed(): Promise<User> {
    const user = await services.newUser();
    await closeAccount(services.database, user.id);
    return user;
  }
  async function countRows({ id }: User): Promise<Record<string, number>> {
    const [row] = await services.database.sql<Record<string, number>[]>`
      select (select count(*)::int from users where id = ${id}) as users, (select count(*)::int
        from queued_jobs where user_id = ${id}) as "queuedJobs",
        (select count(*)::int from queued_job_events
        where user_id = ${id}) as events, (select count(*)::int from photos
          where user_id = ${id}) as photos,
        (select count(*)::int from job_groups where user_id = ${id}) as groups,
        (select count(*)::int from queued_job_outputs o where not exists (select from queued_jobs q
        where q.id = o.queued_job_id)) as outputs`;
    return { ...row };
  }
  const NOTHING = { users: 0, queuedJobs: 0, events: 0, photos: 0, groups: 0, outputs: 0 };

  it("is erased in slices that another process can continue, each file once", async () => {
    const [user, other] = [await services.newUser(), await services.newUser()];
    await fillAccount(services.database.sql, user.id, {
      finished: 1100,
      pending: 600,
      started: 20,
      events: 3,
      photos: 1001,
    });
    await services.database.sql`insert into job_groups (id, user_id, total, pending, created_at)
      select gen_random_uuid(), ${user.id}, 1, 1, now() from generate_series(1, 700)`;
    await services.finished(other);
    const before_ = await services.everythingOf(other);
    await closeAccount(services.database, user.id);
    let interruptions = 0;
    while (!(await create().erase(user.id, { forMs: 5 }))) interruptions++;
    assert.ok(interruptions >= 2, `${interruptions} interruptions`);
    assert.deepEqual(await countRows(user), NOTHING);
    assert.deepEqual(
      [deleted.length, new Set(deleted).size, new Set(stopped).size],
      [1100 + 1001 + 500, 1100 + 1001 + 500, 20],
    );
    assert.deepEqual(await services.everythingOf(other), before_);
  });

  it("is erased with unfinished QueuedJobs first, so that none runs any more", async () => {
    const user = await services.newUser();
    await fillAccount(services.database.sql, user.id, {
      finished: 600,
      pending: 300,
      started: 100,
      events: 1,
    });
    await closeAccount(services.database, user.id);
    const controller = new AbortController();
    const interrupted = createAccountErasure({
      database: services.database,
      deleteFiles: async () => controller.abort(),
      stopWork: (ids) => void stopped.push(...ids),
      log,
    });
    assert.equal(
      await interrupted.erase(user.id, { forMs: 60_000, signal: controller.signal }),
      false,
    );
    const [row] = await services.database
      .sql`select count(*) filter (where status <> 'SUCCESS')::int as unfinished,
        count(*)::int as all from queued_jobs where user_id = ${user.id}`;
    assert.deepEqual([row?.["unfinished"], row?.["all"], stopped.length], [0, 100, 100]);
  });

  it("is erased without waiting for locked rows, and the account goes after them", async () => {
    const user = await services.newUser();
    const jobs = await services.submitMany(user, [{}, {}, {}]);
    await closeAccount(services.database, user.id);
    const other = postgres(services.url, { max: 1 });
    await other`begin`;
    await other`select from queued_jobs where id = ${jobs[1]?.id ?? ""} for update`;
    const startedAt = performance.now();
    assert.equal(await create().erase(user.id, { forMs: 10_000 }), false);
    assert.ok(performance.now() - startedAt < 2000);
    assert.deepEqual(await countRows(user), { ...NOTHING, users: 1, queuedJobs: 1 });
    await other`rollback`;
    await other.end();
    assert.equal(await create().erase(user.id, { forMs: 10_000 }), true);
    assert.deepEqual(await countRows(user), NOTHING);
    assert.equal(
      await create().erase(user.id, { forMs: 10_000 }),
      true,
      "a second call finds nothing to do",
    );
  });

  it("stays while the account is open", async () => {
    const user = await services.newUser();
    await services.newPhoto(user);
    await services.finished(user);
    const before_ = [await countRows(user), await services.everythingOf(user)];
    assert.equal(await create().erase(user.id, { forMs: 10_000 }), false);
    assert.deepEqual([await countRows(user), await services.everythingOf(user)], before_);
  });

  it("is erased for all closed accounts, although one fails and one is large", async () => {
    const [large, poison, small] = [
      await services.newUser(),
      await services.newUser(),
      await services.newUser(),
    ];
    await fillAccount(services.database.sql, large.id, { finished: 6000, events: 2 });
    for (const user of [poison, small]) await services.submit(user);
    for (const user of [large, poison, small]) await closeAccount(services.database, user.id);
    const open = await services.newUser();
    await services.database.sql.unsafe(
      "create or replace function poison() returns trigger language plpgsql as $$ begin " +
        "raise exception 'poison'; end $$",
    );
    await services.database.sql.unsafe(
      "create trigger poison before delete on queued_jobs for each row when (old.user_id " +
        `= '${poison.id}') execute function poison()`,
    );
    while ((await countRows(small))["users"] === 1)
      assert.equal(await create().eraseAll({ forMs: 1 }), false);
    assert.equal((await countRows(large))["users"], 1);
    while ((await countRows(large))["users"] === 1) await create().eraseAll({ forMs: 1000 });
    assert.deepEqual(
      [...new Set(lines.filter(({ level }) => level === 50).map(({ userId }) => userId))],
      [poison.id],
    );
    await services.database.sql`drop trigger poison on queued_jobs`;
    assert.equal(await create().eraseAll({ forMs: 1000 }), true);
    assert.deepEqual([await countRows(poison), (await countRows(open))["users"]], [NOTHING, 1]);
  });

  it("is erased while the storage is unavailable, and the sweep removes the files", async () => {
    const [empty, user] = [await closed(), await services.newUser()];
    await services.newPhoto(user);
    await closeAccount(services.database, user.id);
    const away = createAccountErasure({
      database: services.database,
      deleteFiles: () => Promise.reject(new Error("the disk is gone")),
      stopWork: () => {},
      log,
    });
    assert.equal(await away.eraseAll({ forMs: 10_000 }), true);
    assert.deepEqual([await countRows(empty), await countRows(user)], [NOTHING, NOTHING]);
    assert.deepEqual(
      lines.filter(({ level }) => level === 40).map(({ userId, files }) => [userId, files]),
      [[user.id, 1]],
    );
  });
});
