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

  it("are stored with their values", async () => {
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
      metadataTries: 1,
      takenAt: "2024-05-06 07:08:09",
      takenAtOffset: "+02:00",
      latitude: -41.5,
      longitude: 179.25,
      altitude: null,
      camera: 'Ünïcöde "X"',
      lens: "50mm",
      orientation: 6,
      damaged: null,
      renditionError: null,
    };
    const photo = await services.photos.add(facts);
    const rest = { madeBy: null, renditions: [], renditionError: null };
    assert.deepEqual(photo, { ...facts, ...rest, createdAt: photo?.createdAt });
    assert.ok(photo?.createdAt instanceof Date);
    assert.deepEqual(await services.photos.find(owner, facts.id), photo);
    assert.equal(await storedBytes(owner), 12);
  });

  it("are found by any number of ids, in their order and with repeats", async () => {
    const photo = await services.newPhoto(await services.newUser());
    const ids = Array.from({ length: 70_000 }, (_, i) => (i % 7 === 0 ? photo.id : uuidv7()));
    const found = await services.photos.findMany(ids);
    assert.deepEqual(
      [found.length, found.filter((one) => one?.id === photo.id).length, found[7]?.id],
      [70_000, 10_000, photo.id],
    );
  });

  it("are stored once per user and bytes, and the second one is not counted", async () => {
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

  it("are stored once when ten uploads of the same bytes end at once", async () => {
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

  it("fill the quota to the byte and never more, however many end at once", async () => {
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
      message: "Quota exceeded: at most 1000 bytes of photos and outputs per user; delete some.",
      retryAfterMs: 60_000,
    });
    assert.equal(await storedBytes(owner), 1000);
  });

  it("are refused for a deleted user", async () => {
    const gone = await services.newUser();
    await services.database.sql`delete from users where id = ${gone.id}`;
    assert.deepEqual(await refusalOf(services.newPhoto(gone)), {
      code: "UNAUTHENTICATED",
      message: "This account was deleted: sign in again.",
    });
  });

  it("are visible to their owner and to admins", async () => {
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

  it("are found by their bytes, only among the user's own", async () => {
    const photo = await services.newPhoto(user);
    assert.deepEqual(await services.photos.findBySha256(user.id, photo.sha256), photo);
    assert.equal(
      await services.photos.findBySha256((await services.newUser()).id, photo.sha256),
      null,
    );
  });

  describe("deleted", () => {
    it("return their bytes to the quota and remove their files", async () => {
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

    it("may be uploaded again, as a new Photo", async () => {
      const photo = await services.newPhoto(user);
      await services.photos.remove(user.id, photo.id);
      assert.notEqual((await services.newPhoto(user, { sha256: photo.sha256 })).id, photo.id);
    });

    it("return NOT_FOUND for another user's photo, also to admins", async () => {
      const photo = await services.newPhoto(user);
      for (const someone of [await services.newUser(), await services.newUser("ADMIN")])
        assert.deepEqual(await refusalOf(services.photos.remove(someone.id, photo.id)), NOT_FOUND);
      assert.deepEqual(await refusalOf(services.photos.remove(user.id, uuidv7())), NOT_FOUND);
      assert.ok(await services.photos.find(user, photo.id));
    });

    it("are refused while an unfinished QueuedJob uses them, and not afterwards", async () => {
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
    });

    it("are deleted once when ten requests come at once, and free their bytes once", async () => {
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

    it("and submitted at once never leave an unfinished QueuedJob without a photo", async () => {
      const owner = await services.newUser();
      const outcomes = new Set<string>();
      for (let i = 0; i < 24; i++) {
        const photo = await services.newPhoto(owner);
        const submit = () =>
          outcomeOf(services.submit(owner, { job: "metadata", photoIds: [photo.id] }));
        const remove = () => outcomeOf(services.photos.remove(owner.id, photo.id));
        // The second call usually comes too late, so the order alternates.
        const [submitted, removed] =
          i % 2 === 0
            ? await Promise.all([submit(), remove()])
            : (await Promise.all([remove(), submit()])).toReversed();
        outcomes.add(`${submitted} ${removed}`);
      }
      for (const outcome of outcomes)
        assert.ok(["done CONFLICT", "BAD_USER_INPUT done"].includes(outcome), outcome);
      await assertConsistent(services.database.sql);
    });

    it("and retried at the same time have only one of the two outcomes", async () => {
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

  it("leave consistent counters, numbers and events", () =>
    assertConsistent(services.database.sql));
});

describe("photos with an unavailable storage", () => {
  it("are deleted in any case", async () => {
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
