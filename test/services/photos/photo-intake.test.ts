import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, beforeEach, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import {
  createPhotoInspector,
  type PhotoInspector,
} from "../../../src/imaging/inspect/photo-inspector.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { createLocalStorage } from "../../../src/photos/local-storage.js";
import type { Storage } from "../../../src/photos/storage.js";
import {
  createPhotoIntake,
  type PhotoIntake,
  type Receive,
} from "../../../src/services/photos/photo-intake.js";
import { PREVIEW_ATTEMPTS } from "../../../src/services/photos/preview-maker.js";
import type { User } from "../../../src/services/users/users.js";
import { noise } from "../../imaging/noise.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const MAX_UPLOAD_BYTES = 300_000;
const MAX_STORED_BYTES = 200_000;

describe("an upload", () => {
  let services: TestServices;
  let folder: string;
  let storage: Storage;
  let inspector: PhotoInspector;
  let intake: PhotoIntake;
  let user: User;
  before(async () => {
    services = await createTestServices({ maxStoredBytes: MAX_STORED_BYTES });
    folder = await mkdtemp(join(tmpdir(), "photo-intake-"));
    storage = await createLocalStorage(folder);
    inspector = createPhotoInspector({
      log: silentLog,
      maxPixels: 1_000_000,
      memoryLimitBytes: 1.5 * 1024 ** 3,
    });
    intake = createPhotoIntake({
      photos: services.photos,
      users: services.users,
      storage,
      inspector,
      maxUploadBytes: MAX_UPLOAD_BYTES,
      maxStoredBytes: MAX_STORED_BYTES,
    });
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(async () => {
    await Promise.all([inspector.close(), services.close()]);
    await rm(folder, { recursive: true });
  });

  const take = (read: (receive: Receive) => Promise<void>, through = intake) =>
    through.take(user, read, silentLog);
  const upload = (bytes: Buffer, filename = "a.png") =>
    take((receive) =>
      receive(Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]), filename),
    );
  /** All files below the folder of the storage. */
  const files = async () =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .toSorted();
  const bytesOf = async (key: string | null) => (key === null ? null : storage.read(key));

  it("stores the bytes unchanged and the upright size, with a preview", async () => {
    const bytes = await noise(60, 40).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { photo, created } = await upload(bytes, "Ü.jpg");
    assert.equal(created, true);
    const { id, createdAt, storageKey, previewKey, thumbhash, phash, ...facts } = photo;
    assert.deepEqual(facts, {
      userId: user.id,
      filename: "Ü.jpg",
      mimeType: "image/jpeg",
      width: 40,
      height: 60,
      byteSize: bytes.length,
      previewAttempts: 0,
      metadataTries: 0,
      takenAt: null,
      takenAtOffset: null,
      latitude: null,
      longitude: null,
      altitude: null,
      camera: null,
      lens: null,
      orientation: 6,
      damaged: null,
      madeBy: null,
      renditions: [],
      renditionError: null,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
    assert.ok(createdAt instanceof Date);
    assert.deepEqual(
      [storageKey, previewKey],
      [`photos/${user.id}/${id}`, `previews/${user.id}/${id}`],
    );
    assert.deepEqual(await bytesOf(storageKey), bytes);
    const preview = await sharp((await bytesOf(previewKey)) ?? undefined).metadata();
    assert.deepEqual([preview.format, preview.width, preview.height], ["webp", 40, 60]);
    assert.ok(thumbhash && Buffer.from(thumbhash, "base64").length > 4);
    assert.equal(typeof phash, "bigint");
    assert.deepEqual(await readdir(storage.scratchFolder), []);
    assert.equal((await services.users.counters(user.id)).storedBytes, bytes.length);
  });

  it("of a flat picture has no perceptual hash", async () => {
    assert.equal(
      (
        await upload(
          await sharp({ create: { width: 20, height: 20, channels: 3, background: "#369" } })
            .png()
            .toBuffer(),
        )
      ).photo.phash,
      null,
    );
  });

  it("of the same bytes returns the first Photo and stores nothing", async () => {
    const bytes = smallPhoto();
    const first = await upload(bytes, "first.png");
    const before_ = await files();
    assert.deepEqual(await upload(bytes, "second.png"), { photo: first.photo, created: false });
    assert.deepEqual(await files(), before_);
  });

  it("of the same bytes by another user belongs to that user", async () => {
    const bytes = smallPhoto();
    const first = await upload(bytes);
    user = await services.newUser();
    const second = await upload(bytes);
    assert.deepEqual(
      [second.created, second.photo.userId, second.photo.id !== first.photo.id],
      [true, user.id, true],
    );
  });

  it("of the same bytes five times at once makes one Photo and leaves no other files", async () => {
    const bytes = smallPhoto();
    const before_ = (await files()).length;
    const all = await Promise.all(Array.from({ length: 5 }, () => upload(bytes)));
    assert.equal(all.filter(({ created }) => created).length, 1);
    assert.equal(new Set(all.map(({ photo }) => photo.id)).size, 1);
    assert.equal((await files()).length - before_, 2);
    assert.equal((await services.users.counters(user.id)).storedBytes, bytes.length);
  });

  it("of a deleted photo's bytes makes a new Photo", async () => {
    const bytes = smallPhoto();
    const first = await upload(bytes);
    await services.photos.remove(user.id, first.photo.id);
    const second = await upload(bytes);
    assert.deepEqual([second.created, second.photo.id !== first.photo.id], [true, true]);
  });

  it("with truncated pixels is accepted without a preview; its jobs report it", async () => {
    const whole = await noise(300, 300, 7).png().toBuffer();
    const { photo, created } = await upload(whole.subarray(0, 5000));
    assert.deepEqual(
      [
        created,
        photo.width,
        photo.height,
        photo.previewKey,
        photo.thumbhash,
        photo.phash,
        photo.previewAttempts,
      ],
      [true, 300, 300, null, null, null, PREVIEW_ATTEMPTS],
    );
    assert.deepEqual(await readdir(storage.scratchFolder), []);
  });

  it("keeps its bytes when only the answer was lost, and a repeat finds the Photo", async () => {
    const bytes = smallPhoto();
    const lossy = createPhotoIntake({
      photos: {
        ...services.photos,
        async add(photo) {
          await services.photos.add(photo);
          throw new ServiceUnavailableError("The database is unavailable.");
        },
      },
      users: services.users,
      storage,
      inspector,
      maxUploadBytes: MAX_UPLOAD_BYTES,
      maxStoredBytes: MAX_STORED_BYTES,
    });
    assert.equal(
      (await refusalOf(take((receive) => receive(Readable.from([bytes]), "a.png"), lossy))).code,
      "SERVICE_UNAVAILABLE",
    );
    const { photo, created } = await upload(bytes);
    assert.deepEqual([created, await bytesOf(photo.storageKey)], [false, bytes]);
    assert.ok(await bytesOf(photo.previewKey));
  });

  it("is stored when its twin came first but was deleted before it was found", async () => {
    const bytes = smallPhoto();
    let twins = 0;
    const racing = createPhotoIntake({
      photos: {
        ...services.photos,
        async add(photo) {
          if (twins++ > 0) return services.photos.add(photo);
          const twin = await services.newPhoto(user, { sha256: photo.sha256 });
          const added = await services.photos.add(photo);
          await services.photos.remove(user.id, twin.id);
          return added;
        },
      },
      users: services.users,
      storage,
      inspector,
      maxUploadBytes: MAX_UPLOAD_BYTES,
      maxStoredBytes: MAX_STORED_BYTES,
    });
    const { photo, created } = await take(
      (receive) => receive(Readable.from([bytes]), "a.png"),
      racing,
    );
    assert.deepEqual([created, await bytesOf(photo.storageKey)], [true, bytes]);
    assert.ok(await bytesOf(photo.previewKey));
  });

  it("is accepted when the reader stopped at its tags, which are tried later", async () => {
    const stopping = createPhotoIntake({
      photos: services.photos,
      users: services.users,
      storage,
      inspector: {
        ...inspector,
        probe: async (path) => ({ ...(await inspector.probe(path)), facts: null }),
      },
      maxUploadBytes: MAX_UPLOAD_BYTES,
      maxStoredBytes: MAX_STORED_BYTES,
    });
    const { photo } = await take(
      (receive) => receive(Readable.from([smallPhoto()]), "a.png"),
      stopping,
    );
    assert.deepEqual([photo.metadataTries, photo.orientation], [3, null]);
    assert.ok(photo.previewKey);
  });

  it("is not read when the storage of its user is full", async () => {
    await services.newPhoto(user, { byteSize: MAX_STORED_BYTES });
    let asked = false;
    assert.equal((await refusalOf(take(async () => void (asked = true)))).code, "QUOTA_EXCEEDED");
    assert.equal(asked, false);
  });

  it("leaves consistent counters", () => assertConsistent(services.database.sql));
});
