import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { QueuedJobFilter } from "../../../../src/services/queued-jobs/statements.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { assertToldWhole } from "../../../support/asserts/assert-told-whole.js";
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

  /** PENDING echo, STARTED echo, PENDING album, SUCCESS echo, CANCELLED album. */
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
      "all that is unfinished",
      {},
      3,
      ["CANCELLED", "CANCELLED", "CANCELLED", "SUCCESS", "CANCELLED"],
    ],
    [
      "what runs",
      { statuses: ["STARTED"] },
      1,
      ["PENDING", "CANCELLED", "PENDING", "SUCCESS", "CANCELLED"],
    ],
    [
      "what is of a Job",
      { jobs: ["album"] },
      1,
      ["PENDING", "STARTED", "CANCELLED", "SUCCESS", "CANCELLED"],
    ],
    [
      "what is of one of two Jobs and waits",
      { jobs: ["album", "echo"], statuses: ["PENDING", "SUCCESS"] },
      2,
      ["CANCELLED", "STARTED", "CANCELLED", "SUCCESS", "CANCELLED"],
    ],
    [
      "nothing when only finished ones are asked for",
      { statuses: ["SUCCESS", "FAILED", "CANCELLED"] },
      0,
      ["PENDING", "STARTED", "PENDING", "SUCCESS", "CANCELLED"],
    ],
    [
      "nothing when no status will do",
      { statuses: [] },
      0,
      ["PENDING", "STARTED", "PENDING", "SUCCESS", "CANCELLED"],
    ],
    [
      "nothing of a Job that is none",
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
    ["all that has finished", {}, 2, ["PENDING", "STARTED", "PENDING"]],
    [
      "what succeeded",
      { statuses: ["SUCCESS"] },
      1,
      ["PENDING", "STARTED", "PENDING", "CANCELLED"],
    ],
    ["what is of a Job", { jobs: ["echo"] }, 1, ["PENDING", "STARTED", "PENDING", "CANCELLED"]],
    [
      "nothing when only unfinished ones are asked for",
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

  it("touch nothing that is another's", async () => {
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

  it("withdraw the hints of what they cancel, and stop what runs", async () => {
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

  it("act on the oldest 1,000, a hundred in a statement", async () => {
    for (let i = 0; i < 11; i++)
      await services.submitMany(
        user,
        Array.from({ length: i < 10 ? 100 : 3 }, () => ({})),
      );
    assert.equal(await services.queuedJobs.cancelMany(user.id, ALL), 1000);
    assert.deepEqual(
      services.notifications.slice(-10),
      Array(10).fill(100),
      "a notification for each hundred",
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

  it("leave counters, numbers and events in step", async () => {
    await assertConsistent(services.database.sql);
    assertToldWhole(services.published);
  });
});
