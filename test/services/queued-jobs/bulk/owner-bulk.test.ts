import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Sql } from "postgres";
import {
  chooseRetryable,
  retryMany,
} from "../../../../src/services/queued-jobs/bulk/retry-rows.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../../support/asserts/assert-complete-stream.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const ALL = { statuses: null, jobs: null };
const LIMITS = { maxPending: 4, maxRecordedBytes: 1e9 };

describe("to retry in bulk", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices({ maxPending: 4 });
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  afterEach(async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
  after(() => services.close());

  async function cancelled(count: number, of: Parameters<TestServices["submit"]>[1] = {}) {
    const rows = [];
    for (let i = 0; i < count; i++) {
      const { id } = await services.submit(user, of);
      rows.push(await services.queuedJobs.cancel(user, id));
    }
    return rows;
  }
  const statusesOf = async (rows: { id: string }[]) =>
    Promise.all(rows.map(async ({ id }) => (await services.row(id)).status));

  it("returns the number, and adds a hint with its own place for each", async () => {
    const rows = await cancelled(3);
    await services.submit(await services.newUser());
    assert.equal(await services.queuedJobs.retryMany(user.id, ALL), 3);
    assert.deepEqual(new Set(await statusesOf(rows)), new Set(["PENDING"]));
    const hints = services.hinted.filter(({ run, userId }) => run === 2 && userId === user.id);
    assert.deepEqual(
      hints.map(({ id, backlog }) => [id, backlog]),
      rows.map(({ id }, i) => [id, i + 1]),
    );
    assert.equal(await services.queuedJobs.retryMany(user.id, ALL), 0);
  });

  it("takes the oldest for which there is room, and is refused when there is none", async () => {
    const rows = await cancelled(6);
    assert.equal(await services.queuedJobs.retryMany(user.id, ALL), 4);
    assert.deepEqual(await statusesOf(rows), [
      ...Array.from({ length: 4 }, () => "PENDING"),
      "CANCELLED",
      "CANCELLED",
    ]);
    const before_ = await services.everythingOf(user);
    assert.deepEqual(await refusalOf(services.queuedJobs.retryMany(user.id, ALL)), {
      code: "QUOTA_EXCEEDED",
      message: "Quota exceeded: at most 4 unfinished QueuedJobs per user; wait until some finish.",
      retryAfterMs: 5000,
    });
    assert.deepEqual(await services.everythingOf(user), before_);
  });

  it("skips QueuedJobs whose photo is gone, and follows the filter", async () => {
    const photo = await services.newPhoto(user);
    const [gone] = await cancelled(1, { job: "album", photoIds: [photo.id] });
    await services.photos.remove(user.id, photo.id);
    const [kept] = await cancelled(1);
    assert.equal(
      await services.queuedJobs.retryMany(user.id, { statuses: ["FAILED"], jobs: null }),
      0,
    );
    assert.equal(
      await services.queuedJobs.retryMany(user.id, { statuses: null, jobs: ["album"] }),
      0,
    );
    assert.equal(await services.queuedJobs.retryMany(user.id, ALL), 1);
    assert.deepEqual(await statusesOf([gone ?? { id: "" }, kept ?? { id: "" }]), [
      "CANCELLED",
      "PENDING",
    ]);
  });

  it("fails as a whole when the room or a photo went after it was read", async () => {
    const { sql } = services.database;
    const photo = await services.newPhoto(user);
    const rows = await cancelled(2, { job: "album", photoIds: [photo.id] });
    const { chosen } = await chooseRetryable(sql, rows, LIMITS);
    assert.equal(chosen.length, 2);
    const retry = (maxPending: number, skipLocked = {}) =>
      retryMany(sql, { rows: chosen, limits: { ...LIMITS, maxPending }, ...skipLocked });
    await assert.rejects(retry(1), { code: "PS001" });
    await services.photos.remove(user.id, photo.id);
    await assert.rejects(retry(4), { code: "PS003" });
  });

  it("protects photos from deletion while it is under way", async () => {
    const { sql } = services.database;
    const photo = await services.newPhoto(user);
    const rows = await cancelled(2, { job: "album", photoIds: [photo.id] });
    const retrying = sql.begin(async (tx) => {
      await retryMany(tx as unknown as Sql, { rows, limits: LIMITS });
      await assert.rejects(
        sql.begin(async (other) => {
          await other`set local lock_timeout = 50`;
          await other`delete from photos where id = ${photo.id}`;
        }),
        { code: "55P03" },
      );
      throw new Error("undone");
    });
    await assert.rejects(retrying, { message: "undone" });
  });

  it("leaves rows that changed since they were read", async () => {
    const rows = await cancelled(1);
    await services.queuedJobs.retry(user, rows[0]?.id ?? "");
    await services.queuedJobs.cancel(user, rows[0]?.id ?? "");
    const steps = await retryMany(services.database.sql, { rows, limits: LIMITS });
    assert.deepEqual(steps, [null]);
  });
});
