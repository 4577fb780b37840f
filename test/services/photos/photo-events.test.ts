import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { PhotoEvent } from "../../../src/domain/photo-event.js";
import { recordPreviewed } from "../../../src/services/photos/photo-events.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { outcomeOf } from "../../support/asserts/outcome-of.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("events of photos", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices({ maxStoredBytes: 1000 });
  });
  after(() => services.close());

  const preview = (user: User, id: string) => {
    const { sql } = services.database;
    return recordPreviewed(sql, {
      id,
      userId: user.id,
      set: sql`preview_key = 'p', thumbhash = 'AAAA'`,
      where: sql`preview_key is null`,
    });
  };
  /** The user's log of both tables: "number type". */
  async function log({ id }: User): Promise<string[]> {
    const rows = await services.database.sql<{ line: string }[]>`
      select seq || ' ' || type as line from (
        select user_id, seq, type from queued_job_events
        union all select user_id, seq, type from photo_events) e
      where user_id = ${id} order by seq`;
    return rows.map(({ line }) => line);
  }

  it("show each step with the photo at that step, in the numbering of the QueuedJobs", async () => {
    const user = await services.newUser();
    const photo = await services.newPhoto(user, { camera: "X", takenAt: "2024-05-06 07:08:09" });
    await services.finished(user);
    const previewed = await preview(user, photo.id);
    assert.equal(await preview(user, photo.id), null);
    assert.deepEqual(await log(user), [
      "1 ADDED",
      "2 QUEUED",
      "3 STARTED",
      "4 SUCCEEDED",
      "5 PREVIEWED",
    ]);
    const [added] = services.publishedPhotos as [PhotoEvent];
    assert.deepEqual(
      [added.type, added.seq, added.photo.takenAt, added.photo.camera, added.photo.previewKey],
      ["ADDED", 1, "2024-05-06T07:08:09", "X", null],
    );
    assert.deepEqual([previewed?.seq, previewed?.photo.thumbhash], [5, "AAAA"]);
    await assertConsistent(services.database.sql, user.id);
  });

  it("leave only DELETED of a deleted photo", async () => {
    const user = await services.newUser();
    const [photo, other] = [await services.newPhoto(user), await services.newPhoto(user)];
    await preview(user, photo.id);
    await services.photos.remove(user.id, photo.id);
    assert.deepEqual(await log(user), ["2 ADDED", "4 DELETED"]);
    const event = services.publishedPhotos.at(-1);
    assert.deepEqual([event?.type, event?.seq, event?.photo.id], ["DELETED", 4, photo.id]);
    assert.equal(await preview(user, photo.id), null);
    assert.notEqual(await preview(user, other.id), null);
    await assertConsistent(services.database.sql, user.id);
  });

  it("are not recorded for a refused upload or a refused deletion", async () => {
    const user = await services.newUser();
    const photo = await services.newPhoto(user, { byteSize: 900 });
    const { createdAt: _, ...again } = photo;
    const published = services.publishedPhotos.length;
    assert.equal(await services.photos.add({ ...again, byteSize: 1 }), null);
    assert.equal(await outcomeOf(services.newPhoto(user, { byteSize: 200 })), "QUOTA_EXCEEDED");
    await services.submit(user, { job: "thumbnail", photoIds: [photo.id] });
    assert.equal(await outcomeOf(services.photos.remove(user.id, photo.id)), "CONFLICT");
    assert.deepEqual(await log(user), ["1 ADDED", "2 QUEUED"]);
    assert.equal(services.publishedPhotos.length, published);
    await assertConsistent(services.database.sql, user.id);
  });

  it("count as recorded bytes, and an upload beyond the quota is refused", async () => {
    const small = await createTestServices({ maxRecordedBytes: 1500 });
    try {
      const user = await small.newUser();
      await small.newPhoto(user);
      const outcomes = [
        await outcomeOf(small.newPhoto(user)),
        await outcomeOf(small.newPhoto(user)),
      ];
      assert.deepEqual(outcomes.at(-1), "QUOTA_EXCEEDED");
      await assertConsistent(small.database.sql, user.id);
    } finally {
      await small.close();
    }
  });

  it("have their own numbers when uploads, jobs, previews and deletions run at once", async () => {
    const user = await services.newUser();
    const photos = await Promise.all(
      Array.from({ length: 10 }, () => services.newPhoto(user, { byteSize: 1 })),
    );
    await Promise.all([
      ...photos.map(({ id }) => preview(user, id)),
      ...photos.slice(0, 5).map(({ id }) => services.photos.remove(user.id, id)),
      ...Array.from({ length: 10 }, () => services.newPhoto(user, { byteSize: 1 })),
      ...Array.from({ length: 10 }, () => services.finished(user)),
    ]);
    const numbers = (await log(user)).map((line) => Number(line.split(" ")[0]));
    assert.equal(new Set(numbers).size, numbers.length);
    await assertConsistent(services.database.sql, user.id);
  });
});
