import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { withDeadline } from "../../../src/runtime/deadline.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../support/asserts/assert-complete-stream.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const ALL = { statuses: null, jobs: null };

describe("the removal of finished QueuedJobs", () => {
  let services: TestServices;
  let user: User;
  /** The keys that the storage was asked to delete, by call. */
  let asked: string[][];
  let storage: () => Promise<void>;
  const lines: Record<string, unknown>[] = [];
  before(async () => {
    const log = createLoggerTo({
      write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    });
    const deleteFiles = async (keys: string[]) => {
      asked.push(keys);
      await storage();
    };
    services = await createTestServices({ deleteFiles, log });
  });
  beforeEach(async () => {
    user = await services.newUser();
    [asked, storage] = [[], async () => {}];
  });
  after(async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
    await services.close();
  });

  /**
   * Makes successful QueuedJobs with a file each, in separate statements, since only their removal
   * is tested.
   */
  async function succeeded(count: number, someone = user): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) {
      const made = await services.submitMany(
        someone,
        Array.from({ length: Math.min(100, count - ids.length) }, () => ({})),
      );
      await Promise.all(
        made.map(async (one) => {
          const output = {
            name: "a",
            mimeType: "text/plain",
            byteSize: 10,
            width: null,
            height: null,
            storageKey: `outputs/${one.id}`,
          };
          await services.queuedJobs.succeed(await services.start(one), null, [output]);
        }),
      );
      ids.push(...made.map(({ id }) => id));
    }
    return ids;
  }
  const expire = (ids: string[]) =>
    services.database
      .sql`update queued_jobs set expires_at = now() - interval '1 s' where id = any(${ids})`;
  const left = async () =>
    (
      await services.database.sql<
        { id: string }[]
      >`select id from queued_jobs where user_id = ${user.id} order by id`
    ).map(({ id }) => id);

  /** Makes every deletion of this row fail with the SQLSTATE. */
  async function withBrokenRow(
    id: string,
    state: string,
    work: () => Promise<void>,
  ): Promise<void> {
    const { sql } = services.database;
    await sql.unsafe(`create function break_row() returns trigger language plpgsql as $$ begin
      if old.id = '${id}' then raise exception using errcode = '${state}'; end if; return old;
      end $$`);
    await sql.unsafe(
      "create trigger break_row before delete on queued_jobs for each row execute " +
        "function break_row()",
    );
    try {
      await work();
    } finally {
      await sql.unsafe("drop function break_row cascade");
    }
  }

  it("deletes 200 rows per statement, frees their bytes, and deletes their files", async () => {
    const ids = await succeeded(450);
    const notifications = services.notifications.length;
    assert.equal(await services.queuedJobs.removeMany(user.id, ALL), 450);
    assert.deepEqual(services.notifications.slice(notifications), [200, 200, 50]);
    assert.deepEqual(asked.flat().toSorted(), ids.map((id) => `outputs/${id}`).toSorted());
    assert.equal(asked.length, 3);
    await assertConsistent(services.database.sql, user.id);
    assert.equal((await services.users.counters(user.id)).storedBytes, 0);
    const events = await services.database
      .sql`select type, count(*)::int as n from queued_job_events where user_id = ${user.id}
          group by 1`;
    assert.deepEqual([...events], [{ type: "DELETED", n: 450 }]);
  });

  it("does not wait for the storage in a bulk call", async () => {
    await succeeded(3);
    let answer: () => void = () => {};
    storage = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    assert.equal(await services.queuedJobs.removeMany(user.id, ALL), 3);
    assert.equal(asked.length, 1);
    answer();
  });

  it("leaves files to the sweep when the storage is unavailable, and logs it", async () => {
    const [id] = await succeeded(1);
    storage = () => Promise.reject(new Error("away"));
    assert.equal(await services.queuedJobs.removeMany(user.id, ALL), 1);
    await eventually("it is logged", () =>
      lines.some(
        ({ msg, level }) =>
          msg === "outputs of deleted QueuedJobs were not deleted; the file sweep removes them" &&
          level === 40,
      ),
    );
    assert.equal(await services.queuedJobs.find(user, id ?? ""), null);
  });

  it("stops a bulk call in time and returns the number of deleted rows", async () => {
    await succeeded(250);
    const { sql } = services.database;
    let removing: Promise<number | string> = Promise.resolve("");
    await sql.begin(async (tx) => {
      await tx`select from user_streams where user_id = ${user.id} for update`;
      // The first statement starts with enough time left, the second would not.
      removing = withDeadline(
        () => services.queuedJobs.removeMany(user.id, ALL),
        6500,
        () => "late",
      );
      await tx`select pg_sleep(1.6)`;
    });
    assert.equal(await removing, 200);
    assert.equal((await left()).length, 50);
    assert.equal(
      await withDeadline(
        () => services.queuedJobs.removeMany(user.id, ALL),
        4000,
        () => "late",
      ),
      0,
    );
  });

  it("returns the number of deleted rows when the database fails in between", async () => {
    const ids = await succeeded(250);
    await withBrokenRow(ids[240] ?? "", "57014", async () => {
      assert.equal(await services.queuedJobs.removeMany(user.id, ALL), 200);
    });
    assert.equal((await left()).length, 50);
  });

  it("skips a row that cannot be removed, and logs it", async () => {
    const [bad = "", ...good] = await succeeded(5);
    await withBrokenRow(bad, "XX001", async () => {
      assert.equal(await services.queuedJobs.removeMany(user.id, ALL), good.length);
    });
    assert.deepEqual(await left(), [bad]);
    const errors = lines.filter(({ level, queuedJobId }) => level === 50 && queuedJobId === bad);
    assert.deepEqual(
      errors.map(({ msg }) => msg),
      ["a QueuedJob cannot be removed"],
    );
  });

  it("continues after an expired row that cannot be removed", async () => {
    const [bad = "", ...good] = await succeeded(5);
    await expire([bad]);
    await expire(good);
    await services.database
      .sql`update queued_jobs set expires_at = now() - interval '1 h' where id = ${bad}`;
    await withBrokenRow(bad, "XX001", async () => {
      assert.equal(await services.queuedJobs.removeExpired(3), 2);
      assert.equal(await services.queuedJobs.removeExpired(3), 2);
      assert.equal(await services.queuedJobs.removeExpired(3), 0);
    });
    assert.deepEqual(await left(), [bad]);
  });

  it("never removes an unfinished row, even an expired one", async () => {
    const { id } = await services.submit(user);
    await expire([id]);
    assert.equal(await services.queuedJobs.removeExpired(10), 0);
    assert.deepEqual(await left(), [id]);
    await services.database.sql`update queued_jobs set expires_at = null where id = ${id}`;
  });

  it("skips an expired row that is locked, and removes it later", async () => {
    const ids = await succeeded(4);
    await expire(ids);
    await services.database.sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${ids[1] ?? ""} for update`;
      assert.equal(await services.queuedJobs.removeExpired(10), 3);
    });
    assert.equal(await services.queuedJobs.removeExpired(10), 1);
  });

  it("is shared by several concurrent callers, and removes each row once", async () => {
    const other = await services.newUser();
    await expire([...(await succeeded(60)), ...(await succeeded(60, other))]);
    const removed = await Promise.all(
      Array.from({ length: 4 }, () => services.queuedJobs.removeExpired(40)),
    );
    assert.equal(
      removed.reduce((sum, count) => sum + count, 0),
      120,
    );
    assert.equal(new Set(asked.flat()).size, 120);
  });
});
