// Photos and outputs together may fill the quota of a user to the byte and never more.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { createAccounts } from "../../../../src/services/users/accounts.js";
import type { Claimed } from "../../../../src/services/queued-jobs/claim.js";
import type { StoredOutput } from "../../../../src/domain/queued-job.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { outcomeOf } from "../../../support/asserts/outcome-of.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const MAX = 100;
const REFUSAL = {
  code: "QUOTA_EXCEEDED",
  message: "Quota exceeded: at most 100 bytes of photos and outputs per user; delete some.",
  retryAfterMs: 60_000,
};

describe("the quota of stored bytes", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices({ maxStoredBytes: MAX });
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const outputs = ({ id }: Claimed, ...sizes: number[]): StoredOutput[] =>
    sizes.map((byteSize, i) => ({
      name: `${i}`,
      mimeType: "text/plain",
      byteSize,
      width: null,
      height: null,
      storageKey: `${id}/${i}`,
    }));
  const started = async () => services.start(await services.submit(user));
  async function succeeded(...sizes: number[]): Promise<Claimed> {
    const claimed = await started();
    assert.equal(
      await services.queuedJobs.succeed(claimed, null, outputs(claimed, ...sizes)),
      true,
    );
    return claimed;
  }
  const storedBytes = async () => (await services.users.counters(user.id)).storedBytes;

  it("may be filled to the byte by outputs, beside photos", async () => {
    await services.newPhoto(user, { byteSize: 40 });
    await succeeded(30, 30);
    assert.equal(await storedBytes(), 100);
  });

  it("refuses outputs that would exceed it, without a trace", async () => {
    await services.newPhoto(user, { byteSize: 40 });
    const claimed = await started();
    const [before_, eventCount] = [await services.everythingOf(user), services.published.length];
    assert.deepEqual(
      await refusalOf(services.queuedJobs.succeed(claimed, null, outputs(claimed, 30, 31))),
      REFUSAL,
    );
    assert.deepEqual(
      [await services.everythingOf(user), services.published.length],
      [before_, eventCount],
    );
    assert.equal(
      await services.queuedJobs.fail(claimed, { ...REFUSAL, permanent: true }),
      "FAILED",
    );
    assert.deepEqual((await services.queuedJobs.find(user, claimed.id))?.error, {
      code: REFUSAL.code,
      message: REFUSAL.message,
    });
  });

  it("does not affect users who store nothing, whether it is full or exceeded", async () => {
    await services.newPhoto(user, { byteSize: MAX });
    await services.database.sql`update photos set byte_size = 500 where user_id = ${user.id}`;
    await services.database
      .sql`update user_streams set stored_bytes = 500 where user_id = ${user.id}`;
    await succeeded();
    const claimed = await started();
    assert.deepEqual(
      await refusalOf(services.queuedJobs.succeed(claimed, null, outputs(claimed, 1))),
      REFUSAL,
    );
  });

  it("is never exceeded, however many successes and uploads end at once", async () => {
    const claims = await Promise.all(Array.from({ length: 20 }, started));
    const made = await Promise.all([
      ...claims.map((claimed) =>
        outcomeOf(services.queuedJobs.succeed(claimed, null, outputs(claimed, 10))),
      ),
      ...Array.from({ length: 20 }, () => outcomeOf(services.newPhoto(user, { byteSize: 10 }))),
    ]);
    assert.deepEqual(
      [
        made.filter((outcome) => outcome === "done").length,
        made.filter((outcome) => outcome === "QUOTA_EXCEEDED").length,
      ],
      [10, 30],
    );
    assert.equal(await storedBytes(), MAX);
  });

  const waysOut: [how: string, act: (claimed: Claimed) => Promise<unknown>][] = [
    ["one is deleted", ({ id }) => services.queuedJobs.remove(user, id)],
    [
      "several are deleted at once",
      () => services.queuedJobs.removeMany(user.id, { statuses: null, jobs: null }),
    ],
    [
      "they expire",
      async ({ id }) => {
        await services.database
          .sql`update queued_jobs set expires_at = now() - interval '1 s' where id = ${id}`;
        return services.queuedJobs.removeExpired(10);
      },
    ],
  ];
  for (const [how, act] of waysOut) {
    it(`has room again when ${how}`, async () => {
      const claimed = await succeeded(60);
      assert.equal(await storedBytes(), 60);
      await act(claimed);
      assert.equal(await storedBytes(), 0);
      await succeeded(MAX);
    });
  }

  it("does not change by a failure, a cancellation or a retry", async () => {
    const [failed, cancelled] = [await started(), await started()];
    await services.queuedJobs.fail(failed, {
      code: "TASK_FAILED",
      message: "No.",
      permanent: true,
    });
    await services.queuedJobs.cancel(user, cancelled.id);
    for (const { id } of [failed, cancelled]) {
      await services.queuedJobs.retry(user, id);
      const again = await services.start({ id });
      assert.equal(await storedBytes(), id === failed.id ? 0 : 20);
      await services.queuedJobs.succeed(again, null, outputs(again, 20));
    }
    assert.equal(await storedBytes(), 40);
  });

  it("is deleted with its user, and starts at zero for the next one", async () => {
    await succeeded(MAX);
    await createAccounts({
      database: services.database,
      users: services.users,
      deleteFiles: async () => {},
      stopWork: () => {},
      publishGone: async () => {},
      log: silentLog,
    }).remove(user.id);
    user = await services.newUser();
    await succeeded(MAX);
  });

  it("equals the counted bytes after all of this", () => assertConsistent(services.database.sql));
});
