import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { groupOf } from "../../../support/service/group-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const MAX_PENDING = 5;
const NAMES = ["a", "b"];

describe("a group of an owner", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices({ maxPending: MAX_PENDING });
  });
  after(async () => {
    await assertConsistent(services.database.sql);
    await services.close();
  });

  const enqueue = (user: User, submission: ReturnType<typeof groupOf>) =>
    services.queuedJobs.enqueueGroup(user.id, { submission, requestId: "request" });
  const countRows = async (user: User): Promise<number> =>
    (
      await services.database.sql`
        select id from job_groups where user_id = ${user.id}
        union all select id from queued_jobs where user_id = ${user.id}`
    ).length;

  /** A finished job whose picture an unfinished one of the same group takes. */
  async function pinned() {
    const user = await services.newUser();
    const photo = await services.newPhoto(user);
    const scrub = { job: "scrub", photoIds: [photo.id] };
    const later = { job: "scrub", photosFrom: [{ key: "a", outputs: null }] };
    const runAt = new Date(Date.now() + 3_600_000);
    const group = await enqueue(user, groupOf({ a: scrub, b: { ...later, runAt } }));
    const members = await services.database.sql<{ id: string }[]>`
      select id from queued_jobs where group_id = ${group.id} order by id`;
    const [a, b] = [members[0] ?? assert.fail(), members[1] ?? assert.fail()];
    const storageKey = `outputs/${a.id}`;
    const size = { mimeType: "image/jpeg", byteSize: 5, width: 4, height: 3 };
    const claimed = await services.start(a);
    await services.queuedJobs.succeed(claimed, {}, [{ name: "x.jpg", ...size, storageKey }]);
    return { user, photo, group, a, b, storageKey };
  }

  it("is refused whole when there is room for only a part of it, or when a key is taken", async () => {
    const user = await services.newUser();
    const six = groupOf(Object.fromEntries([1, 2, 3, 4, 5, 6].map((i) => [`k${i}`, []])));
    assert.equal((await refusalOf(enqueue(user, six))).code, "QUOTA_EXCEEDED");
    assert.equal(await countRows(user), 0);
    const keyed = (name: string) => groupOf({ [name]: [] }, { idempotencyKey: "key" });
    const same = await Promise.all([1, 2, 3].map(() => enqueue(user, keyed("a"))));
    assert.equal(new Set(same.map(({ id }) => id)).size, 1);
    assert.equal((await refusalOf(enqueue(user, keyed("b")))).code, "IDEMPOTENCY_CONFLICT");
    assert.equal(await countRows(user), 2);
  });

  it("passes pictures on in the order of their sources, then of their names", async () => {
    const user = await services.newUser();
    const photoIds = [(await services.newPhoto(user)).id];
    const scrub = { job: "scrub", photoIds };
    const photosFrom = [
      { key: "z", outputs: null },
      { key: "a", outputs: ["2.jpg", "1.jpg"] },
    ];
    const group = await enqueue(
      user,
      groupOf({ a: { job: "thumbnail", photoIds }, z: scrub, c: { job: "archive", photosFrom } }),
    );
    const members = await services.database.sql<{ id: string; key: string }[]>`
      select id, group_key as key from queued_jobs where group_id = ${group.id} order by id`;
    const size = { mimeType: "image/jpeg", byteSize: 5, width: 4, height: 3, storageKey: "k" };
    for (const { id, key } of members)
      if (key !== "c") {
        const outputs = ["1.jpg", "2.jpg", "3.jpg"].map((name) => ({ name, ...size }));
        await services.queuedJobs.succeed(await services.start({ id }), {}, outputs);
      }
    const handed = await services.queuedJobs.handedPictures(
      members.find(({ key }) => key === "c")?.id ?? "",
    );
    assert.deepEqual(
      handed.map(({ filename }) => filename),
      ["z-1.jpg", "z-2.jpg", "z-3.jpg", "a-2.jpg", "a-1.jpg"],
    );
  });

  it("keeps the pictures that an unfinished member takes, from every kind of deletion", async () => {
    const { user, photo, group, a, b, storageKey } = await pinned();
    const { queuedJobs, database, photos, deletedFiles } = services;
    const handed = await queuedJobs.handedPictures(b.id);
    assert.deepEqual(
      handed.map(({ filename, storageKey: key }) => [filename, key]),
      [["a-x.jpg", storageKey]],
    );
    assert.equal((await refusalOf(queuedJobs.remove(user, a.id))).code, "CONFLICT");
    assert.equal((await refusalOf(queuedJobs.removeGroup(user, group.id))).code, "CONFLICT");
    assert.equal(await queuedJobs.removeMany(user.id, { statuses: null, jobs: null }), 0);
    await database.sql`update queued_jobs set expires_at = expires_at - interval '1 year'`;
    assert.equal(await queuedJobs.removeExpired(100), 0);
    assert.equal(deletedFiles.length, 0);
    await queuedJobs.cancelGroup(user, group.id);
    await photos.remove(user.id, photo.id);
    await queuedJobs.remove(user, a.id);
    assert.ok(deletedFiles.includes(storageKey));
    const { code } = await refusalOf(queuedJobs.retry(user, b.id));
    assert.equal(code, "CONFLICT", "its source is gone");
    assert.equal(await queuedJobs.retryMany(user.id, { statuses: null, jobs: null }), 0);
  });

  it("is not removed in part while a member is being retried", async () => {
    const { user, group, a, b } = await pinned();
    const { queuedJobs, database } = services;
    await queuedJobs.cancelGroup(user, group.id);
    let removing: Promise<unknown> = Promise.resolve();
    await database.sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${b.id} for no key update`;
      assert.equal(await queuedJobs.removeMany(user.id, { statuses: ["SUCCESS"], jobs: null }), 0);
      removing = refusalOf(queuedJobs.remove(user, a.id));
      await tx`update queued_jobs set status = 'PENDING', version = version + 1,
        grouped_version = version + 1, finished_at = null, error_code = null where id = ${b.id}`;
      await tx`update job_groups set pending = 1, cancelled = 0, finished_at = null,
        expires_at = null where id = ${group.id}`;
      await tx`update user_streams set pending = 1 where user_id = ${user.id}`;
    });
    assert.equal(((await removing) as { code: string }).code, "CONFLICT");
    await database.sql`delete from users where id = ${user.id}`;
  });

  it("is removed with its members when it has expired", async () => {
    const user = await services.newUser();
    const { queuedJobs, database } = services;
    for (const name of NAMES) {
      const group = await enqueue(user, groupOf({ [name]: [], after: [name] }));
      await queuedJobs.cancelGroup(user, group.id);
    }
    await database.sql`update job_groups set expires_at = now() - interval '1 second'
      where user_id = ${user.id}`;
    assert.equal(await queuedJobs.removeExpired(3), 3);
    assert.equal(await queuedJobs.removeExpired(100), 1);
    assert.equal(await countRows(user), 0);
  });
});
