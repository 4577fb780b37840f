// One attempt that cannot be taken over does not stop the others.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import postgres, { type Sql } from "postgres";
import { available } from "../../../../src/db/database.js";
import { createLoggerTo } from "../../../../src/runtime/logger.js";
import { createTakeOver } from "../../../../src/services/queued-jobs/maintenance/take-over.js";
import type { User } from "../../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("attempts of dead workers", () => {
  let services: TestServices;
  let user: User;
  /** A connection that waits for no lock. */
  let impatient: Sql;
  let setAside = 0;
  let lines: { level: number; msg: string; queuedJobId?: string }[] = [];
  before(async () => {
    services = await createTestServices();
    impatient = postgres(services.url, { max: 5, connection: { lock_timeout: 50 } });
  });
  beforeEach(async () => {
    lines = [];
    await services.database.sql`delete from queued_jobs`;
    user = await services.newUser();
  });
  after(async () => {
    await impatient.end();
    await services.close();
  });
  const log = createLoggerTo(
    { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) },
    "debug",
  );
  const open = () =>
    createTakeOver({
      sql: impatient,
      ttlSeconds: 60,
      commit: ({ write }) => available(write),
      onSetAside: () => void setAside++,
      log,
    });
  /** Makes attempts whose leases have lapsed, the first one first. */
  async function lapsed(owner: User, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      const { id } = await services.start(await services.submit(owner));
      ids.push(id);
      await services.database
        .sql`update queued_jobs set lease_until = now() - interval '1 minute' where id = ${id}`;
    }
    return ids;
  }
  const statusesOf = (ids: string[]) =>
    Promise.all(ids.map(async (id) => (await services.row(id)).status));

  it("are taken over beside one with a wrong counter, which is skipped for a while", async () => {
    const drifted = await services.newUser();
    const bad = await lapsed(drifted, 3);
    const { sql } = services.database;
    await sql`update queued_jobs set stalls = 1, lease_until = lease_until - interval '1 hour'
        where id = any(${bad})`;
    await sql`update user_streams set pending = 0 where user_id = ${drifted.id}`;
    const good = await lapsed(user, 2);
    const takeOver = open();
    assert.deepEqual([await takeOver(4), await takeOver(4), await takeOver(4)], [1, 1, 0]);
    assert.deepEqual(await statusesOf(good), ["PENDING", "PENDING"]);
    assert.deepEqual(await statusesOf(bad), ["STARTED", "STARTED", "STARTED"]);
    const faults = lines.filter(({ level }) => level === 50);
    assert.deepEqual(faults.map(({ queuedJobId }) => queuedJobId).toSorted(), bad.toSorted());
    assert.equal(faults[0]?.msg, "an attempt could not be taken over");
    assert.equal(setAside, 3);
    await sql`update user_streams set pending = 3 where user_id = ${drifted.id}`;
    assert.equal(await open()(4), 3);
  });

  it("are taken over beside one whose row is locked, which follows in the next call", async () => {
    const [locked, ...free] = await lapsed(user, 6);
    const takeOver = open();
    await services.database.sql.begin(async (transaction) => {
      await transaction`select from queued_jobs where id = ${locked ?? ""} for update`;
      assert.equal(await takeOver(100), 5);
    });
    assert.deepEqual(
      await statusesOf(free),
      free.map(() => "PENDING"),
    );
    assert.equal(await takeOver(100), 1);
  });

  it("are left for later when several statements fail without PostgreSQL", async () => {
    await lapsed(user, 12);
    const takeOver = open();
    await services.database.sql.begin(async (transaction) => {
      await transaction`select from user_streams where user_id = ${user.id} for update`;
      await assert.rejects(takeOver(100), { code: "SERVICE_UNAVAILABLE" });
    });
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      Array(4).fill("an attempt could not be taken over"),
    );
    assert.equal(await takeOver(100), 12);
  });
});
