import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { QueuedJobFilter } from "../../../../src/services/queued-jobs/statements.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../../support/asserts/assert-complete-stream.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const ALL: QueuedJobFilter = { statuses: null, jobs: null };

describe("bulk calls", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const statuses = async (someone: User) =>
    (
      await services.database
        .sql`select status from queued_jobs where user_id = ${someone.id} order by id`
    ).map((row) => row["status"] as string);

  /** Creates: PENDING echo, STARTED echo, PENDING album, SUCCESS echo, CANCELLED album. */
  async function oneOfEach(someone: User): Promise<void> {
    const { id: photoId } = await services.newPhoto(someone);
    const album = { job: "album", photoIds: [photoId] };
    await services.submit(someone);
    await services.start(await services.submit(someone));
    await services.submit(someone, album);
    await services.finished(someone);
    await services.queuedJobs.cancel(someone, (await services.submit(someone, album)).id);
  }

  const cancelled: [
    what: string,
    filter: Partial<QueuedJobFilter>,
    count: number,
    after_: string[],
  ][] = [
    [
      "all unfinished QueuedJobs",
      {},
      3,
      ["CANCELLED", "CANCELLED", "CANCELLED", "SUCCESS", "CANCELLED"],
    ],
    [
      "all running QueuedJobs",
      { statuses: ["STARTED"] },
      1,
      ["PENDING", "CANCELLED", "PENDING", "SUCCESS", "CANCELLED"],
    ],
    [
      "the QueuedJobs of a Job",
      { jobs: ["album"] },
      1,
      ["PENDING", "STARTED", "CANCELLED", "SUCCESS", "CANCELLED"],
    ],
    [
      "the waiting QueuedJobs of two Jobs",
      { jobs: ["album", "echo"], statuses: ["PENDING", "SUCCESS"] },
      2,
      ["CANCELLED", "STARTED", "CANCELLED", "SUCCESS", "CANCELLED"],
    ],
    [
      "nothing when the filter names only finished statuses",
      { statuses: ["SUCCESS", "FAILED", "CANCELLED"] },
      0,
      ["PENDING", "STARTED", "PENDING", "SUCCESS", "CANCELLED"],
    ],
    [
      "nothing when the filter names no status",
      { statuses: [] },
      0,
      ["PENDING", "STARTED", "PENDING", "SUCCESS", "CANCELLED"],
    ],
    [
      "nothing of an unknown Job",
      { jobs: ["nope"] },
      0,
      ["PENDING", "STARTED", "PENDING", "SUCCESS", "CANCELLED"],
    ],
  ];
  for (const [what, filter, count, after_] of cancelled) {
    it(`cancel ${what}`, async () => {
      await oneOfEach(user);
      assert.equal(await services.queuedJobs.cancelMany(user.id, { ...ALL, ...filter }), count);
      assert.deepEqual(await statuses(user), after_);
    });
  }

  const removed: [
    what: string,
    filter: Partial<QueuedJobFilter>,
    count: number,
    after_: string[],
  ][] = [
    ["all finished QueuedJobs", {}, 2, ["PENDING", "STARTED", "PENDING"]],
    [
      "all successful QueuedJobs",
      { statuses: ["SUCCESS"] },
      1,
      ["PENDING", "STARTED", "PENDING", "CANCELLED"],
    ],
    [
      "the QueuedJobs of a Job",
      { jobs: ["echo"] },
      1,
      ["PENDING", "STARTED", "PENDING", "CANCELLED"],
    ],
    [
      "nothing when the filter names only unfinished statuses",
      { statuses: ["PENDING", "STARTED"] },
      0,
      ["PENDING", "STARTED", "PENDING", "SUCCESS", "CANCELLED"],
    ],
  ];
  for (const [what, filter, count, after_] of removed) {
    it(`delete ${what}`, async () => {
      await oneOfEach(user);
      assert.equal(await services.queuedJobs.removeMany(user.id, { ...ALL, ...filter }), count);
      assert.deepEqual(await statuses(user), after_);
    });
  }

  it("never affect another user's QueuedJobs", async () => {
    const other = await services.newUser();
    await oneOfEach(other);
    const before_ = await services.everythingOf(other);
    assert.deepEqual(
      [
        await services.queuedJobs.cancelMany(user.id, ALL),
        await services.queuedJobs.removeMany(user.id, ALL),
      ],
      [0, 0],
    );
    assert.deepEqual(await services.everythingOf(other), before_);
  });

  it("remove the hints of cancelled QueuedJobs, and stop running ones", async () => {
    const [waiting, running] = [await services.submit(user), await services.submit(user)];
    await services.start(running);
    await services.queuedJobs.cancelMany(user.id, ALL);
    assert.deepEqual(
      services.unhinted.slice(-2).map(({ id }) => id),
      [waiting.id, running.id],
    );
    assert.deepEqual(
      [services.stopped.includes(waiting.id), services.stopped.includes(running.id)],
      [false, true],
    );
  });

  it("act on the oldest 1,000, a hundred per statement", async () => {
    for (let i = 0; i < 11; i++)
      await services.submitMany(
        user,
        Array.from({ length: i < 10 ? 100 : 3 }, () => ({})),
      );
    assert.equal(await services.queuedJobs.cancelMany(user.id, ALL), 1000);
    assert.deepEqual(
      services.notifications.slice(-10),
      Array(10).fill(100),
      "one notification per hundred",
    );
    assert.deepEqual((await statuses(user)).slice(-3), ["PENDING", "PENDING", "PENDING"]);
    assert.equal((await services.users.counters(user.id)).pending, 3);
  });

  it("share the work when two run at once, and count each QueuedJob once", async () => {
    await services.submitMany(
      user,
      Array.from({ length: 40 }, () => ({})),
    );
    const counts = await Promise.all([
      services.queuedJobs.cancelMany(user.id, ALL),
      services.queuedJobs.cancelMany(user.id, ALL),
    ]);
    assert.equal(counts[0] + counts[1], 40);
    const gone = await Promise.all([
      services.queuedJobs.removeMany(user.id, ALL),
      services.queuedJobs.removeMany(user.id, ALL),
    ]);
    assert.equal(gone[0] + gone[1], 40);
  });

  it("leave consistent counters, numbers and events", async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
});
