import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { cancelMany } from "../../../../src/services/queued-jobs/bulk/owner-bulk.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";
import { waitsForLock } from "../../../support/stores/waits-for-lock.js";

describe("a step of many rows", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(async () => {
    await assertConsistent(services.database.sql);
    await services.close();
  });
  const cancel = (ids: string[]) => cancelMany(services.database.sql, { ids, ttlSeconds: 60 });

  it("locks its rows in the order of their ids, so that two steps never deadlock", async () => {
    const { sql } = services.database;
    const user = await services.newUser();
    const ids = (await services.submitMany(user, [{}, {}, {}])).map(({ id }) => id).toSorted();
    let cancelling: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${ids[2] ?? ""} for update`;
      cancelling = cancel(ids.toReversed());
      await waitsForLock(sql);
      await assert.rejects(
        sql`select from queued_jobs where id = ${ids[0] ?? ""} for update nowait`,
        { code: "55P03" },
      );
    });
    await cancelling;
  });

  it("locks the counters of their owners in the order of the owners' ids", async () => {
    const { sql } = services.database;
    const users = (await Promise.all([1, 2, 3].map(() => services.newUser()))).toSorted((a, b) =>
      a.id < b.id ? -1 : 1,
    );
    const ids: string[] = [];
    for (const user of users.toReversed()) ids.push((await services.submit(user)).id);
    let cancelling: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`select from user_streams where user_id = ${users[2]?.id ?? ""} for update`;
      cancelling = cancel(ids);
      await waitsForLock(sql);
      await assert.rejects(
        sql`select from user_streams where user_id = ${users[0]?.id ?? ""} for update nowait`,
        { code: "55P03" },
      );
    });
    await cancelling;
  });
});
