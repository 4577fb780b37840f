import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { outcomeOf } from "../../support/asserts/outcome-of.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const NOT_FOUND = { code: "NOT_FOUND", message: "There is no such Photo." };
const IN_USE = {
  code: "CONFLICT",
  message: "Unfinished QueuedJobs use this photo: cancel them, or wait until they have finished.",
};

describe("photos", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices({ maxStoredBytes: 1000 });
    user = await services.newUser();
  });
  after(() => services.close());
  const storedBytes = async (someone: User) =>
    (await services.users.counters(someone.id)).storedBytes;

  it("are kept with what is known of them", async () => {
    const owner = await services.newUser();
    const facts = {
      id: uuidv7(),
      userId: owner.id,
      filename: "Ü 1.jpg",
      mimeType: "image/jpeg",
      width: 4,
      height: 3,
      byteSize: 12,
      sha256: "ab".repeat(32),
      storageKey: "k",
      previewKey: "p",
      thumbhash: "AAAA",
      phash: -(2n ** 63n),
      previewAttempts: 2,
    };
    const photo = await services.photos.add(facts);
    assert.deepEqual(photo, { ...facts, createdAt: photo?.createdAt });
    assert.ok(photo?.createdAt instanceof Date);
    assert.deepEqual(await services.photos.find(owner, facts.id), photo);
    assert.equal(await storedBytes(owner), 12);
  });

  it("are found by any number of ids, in their order, however often they are named", async () => {
    const photo = await services.newPhoto(await services.newUser());
    const ids = Array.from({ length: 70_000 }, (_, i) => (i % 7 === 0 ? photo.id : uuidv7()));
    const found = await services.photos.findMany(ids);
    assert.deepEqual(
      [found.length, found.filter((one) => one?.id === photo.id).length, found[7]?.id],
      [70_000, 10_000, photo.id],
    );
  });

  it("are one of the same bytes and user, and the second is not counted", async () => {
    const owner = await services.newUser();
    const first = await services.newPhoto(owner, { byteSize: 10 });
    const { createdAt: _, ...again } = { ...first, id: uuidv7(), storageKey: "other" };
    assert.equal(await services.photos.add(again), null);
    assert.equal(await storedBytes(owner), 10);
    assert.equal(
      (await services.newPhoto(await services.newUser(), { sha256: first.sha256 })).sha256,
      first.sha256,
    );
  });

  it("are one when ten uploads of the same bytes end at once", async () => {
    const owner = await services.newUser();
    const { createdAt: _, ...template } = await services.newPhoto(await services.newUser(), {
      byteSize: 10,
    });
    const added = await Promise.all(
      Array.from({ length: 10 }, (_unused, i) =>
        services.photos.add({ ...template, id: uuidv7(), userId: owner.id, storageKey: `k${i}` }),
      ),
    );
    assert.equal(added.filter((photo) => photo !== null).length, 1);
    assert.equal(await storedBytes(owner), 10);
  });

  it("may take the quota to the byte and no more, however many end at once", async () => {
    const owner = await services.newUser();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => outcomeOf(services.newPhoto(owner, { byteSize: 100 }))),
    );
    assert.deepEqual(outcomes.toSorted(), [
      ...Array.from({ length: 10 }, () => "QUOTA_EXCEEDED"),
      ...Array.from({ length: 10 }, () => "done"),
    ]);
    assert.deepEqual(await refusalOf(services.newPhoto(owner)), {
      code: "QUOTA_EXCEEDED",
      message:
        "Quota exceeded: at most 1000 bytes of photos and outputs per user; delete some of them.",
      retryAfterMs: 60_000,
    });
    assert.equal(await storedBytes(owner), 1000);
  });

  it("are refused to a user who is gone", async () => {
    const gone = await services.newUser();
    await services.database.sql`delete from users where id = ${gone.id}`;
    assert.deepEqual(await refusalOf(services.newPhoto(gone)), {
      code: "UNAUTHENTICATED",
      message: "This account was deleted: sign in again.",
    });
  });

  it("are seen by their owner and by admins", async () => {
    const photo = await services.newPhoto(user);
    const [other, admin] = [await services.newUser(), await services.newUser("ADMIN")];
    assert.deepEqual(
      [
        await services.photos.find(user, photo.id),
        await services.photos.find(other, photo.id),
        await services.photos.find(admin, photo.id),
      ],
      [photo, null, photo],
    );
    assert.deepEqual(await services.photos.findMany([uuidv7(), photo.id]), [null, photo]);
  });

  it("are found by their bytes, one's own only", async () => {
    const photo = await services.newPhoto(user);
    assert.deepEqual(await services.photos.findBySha256(user.id, photo.sha256), photo);
    assert.equal(
      await services.photos.findBySha256((await services.newUser()).id, photo.sha256),
      null,
    );
  });

  it("are paged newest first, each once, and counted up to a bound", async () => {
    const owner = await services.newUser();
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await services.newPhoto(owner)).id);
    const first = await services.photos.page({ userId: owner.id, first: 2, beforeId: null });
    const rest = await services.photos.page({
      userId: owner.id,
      first: 10,
      beforeId: first.at(-1)?.id ?? "",
    });
    assert.deepEqual(
      [...first, ...rest].map(({ id }) => id),
      made,
    );
    assert.deepEqual(
      [await services.photos.count(owner.id, 100), await services.photos.count(owner.id, 3)],
      [5, 3],
    );
  });

  describe("deleted", () => {
    it("give their bytes back and take their files with them", async () => {
      const owner = await services.newUser();
      const [photo, plain] = [
        await services.newPhoto(owner, { storageKey: "bytes", previewKey: "preview" }),
        await services.newPhoto(owner, { storageKey: "plain" }),
      ];
      await services.photos.remove(owner.id, photo.id);
      await services.photos.remove(owner.id, plain.id);
      assert.deepEqual(services.deletedFiles.slice(-3), ["bytes", "preview", "plain"]);
      assert.deepEqual(
        [await services.photos.find(owner, photo.id), await storedBytes(owner)],
        [null, 0],
      );
    });

    it("may be uploaded again, as a new one", async () => {
      const photo = await services.newPhoto(user);
      await services.photos.remove(user.id, photo.id);
      assert.notEqual((await services.newPhoto(user, { sha256: photo.sha256 })).id, photo.id);
    });

    it("are one's own: another's, and none, are not found, by an admin neither", async () => {
      const photo = await services.newPhoto(user);
      for (const someone of [await services.newUser(), await services.newUser("ADMIN")])
        assert.deepEqual(await refusalOf(services.photos.remove(someone.id, photo.id)), NOT_FOUND);
      assert.deepEqual(await refusalOf(services.photos.remove(user.id, uuidv7())), NOT_FOUND);
      assert.ok(await services.photos.find(user, photo.id));
    });

    it(
      "are refused while an unfinished QueuedJob uses them, and not any more when it has " +
        "finished",
      async () => {
        const photo = await services.newPhoto(user);
        const queuedJob = await services.submit(user, { job: "metadata", photoIds: [photo.id] });
        assert.deepEqual(await refusalOf(services.photos.remove(user.id, photo.id)), IN_USE);
        const claimed = await services.start(queuedJob);
        assert.deepEqual(await refusalOf(services.photos.remove(user.id, photo.id)), IN_USE);
        await services.queuedJobs.succeed(claimed, null, []);
        await services.photos.remove(user.id, photo.id);
        assert.equal((await services.queuedJobs.find(user, queuedJob.id))?.photoCount, 1);
        assert.equal(
          (
            await services.database
              .sql`select from queued_job_photos where queued_job_id = ${queuedJob.id}`
          ).length,
          0,
        );
      },
    );

    it("are deleted once when ten do it at once, and given back once", async () => {
      const owner = await services.newUser();
      await services.newPhoto(owner, { byteSize: 100 });
      const photo = await services.newPhoto(owner, { byteSize: 10 });
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () => outcomeOf(services.photos.remove(owner.id, photo.id))),
      );
      assert.deepEqual(outcomes.toSorted(), [
        ...Array.from({ length: 9 }, () => "NOT_FOUND"),
        "done",
      ]);
      assert.equal(await storedBytes(owner), 100);
    });

    it(
      "and submitted at the same moment are one or the other: no unfinished QueuedJob is " +
        "without its photo",
      async () => {
        const owner = await services.newUser();
        const outcomes = new Set<string>();
        for (let i = 0; i < 24; i++) {
          const photo = await services.newPhoto(owner);
          const submit = () =>
            outcomeOf(services.submit(owner, { job: "metadata", photoIds: [photo.id] }));
          const remove = () => outcomeOf(services.photos.remove(owner.id, photo.id));
          // The one that is called second is mostly late: the roles are changed.
          const [submitted, removed] =
            i % 2 === 0
              ? await Promise.all([submit(), remove()])
              : (await Promise.all([remove(), submit()])).toReversed();
          outcomes.add(`${submitted} ${removed}`);
        }
        for (const outcome of outcomes)
          assert.ok(["done CONFLICT", "BAD_USER_INPUT done"].includes(outcome), outcome);
        await assertConsistent(services.database.sql);
      },
    );

    it("and sent again at the same moment are one or the other", async () => {
      const owner = await services.newUser();
      for (let i = 0; i < 12; i++) {
        const photo = await services.newPhoto(owner);
        const { id } = await services.submit(owner, { job: "metadata", photoIds: [photo.id] });
        await services.queuedJobs.cancel(owner, id);
        const outcome = (
          await Promise.all([
            outcomeOf(services.queuedJobs.retry(owner, id)),
            outcomeOf(services.photos.remove(owner.id, photo.id)),
          ])
        ).join(" ");
        assert.ok(["done CONFLICT", "CONFLICT done"].includes(outcome), outcome);
      }
      await assertConsistent(services.database.sql);
    });
  });

  it("leave counters, numbers and events in step", () => assertConsistent(services.database.sql));
});

describe("photos whose storage is away", () => {
  it("are deleted all the same", async () => {
    const services = await createTestServices({
      deleteFiles: () => Promise.reject(new Error("the disk is gone")),
    });
    const user = await services.newUser();
    const photo = await services.newPhoto(user);
    await services.photos.remove(user.id, photo.id);
    assert.equal(await services.photos.find(user, photo.id), null);
    await services.close();
  });
});
