import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import { createPhotoInspector } from "../../../src/imaging/inspect/photo-inspector.js";
import { createLocalStorage } from "../../../src/photos/local-storage.js";
import type { Storage } from "../../../src/photos/storage.js";
import { createMetadataReader } from "../../../src/services/photos/metadata-reader.js";
import type { Photo } from "../../../src/services/photos/photos.js";
import type { User } from "../../../src/services/users/users.js";
import { noise } from "../../imaging/noise.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("metadata that is read later", () => {
  let services: TestServices;
  const folder = temporaryFolder();
  let storage: Storage;
  let user: User;
  before(async () => {
    services = await createTestServices();
    storage = await createLocalStorage(folder.path);
  });
  beforeEach(async () => {
    await services.database.sql`delete from users`;
    user = await services.newUser();
  });
  after(() => services.close());

  const signal = new AbortController().signal;
  const create = (more: Partial<Storage> = {}) =>
    createMetadataReader({
      database: services.database,
      bus: services.bus,
      storage: { ...storage, ...more },
      openInspector: () =>
        createPhotoInspector({ log: silentLog, maxPixels: 1e6, memoryLimitBytes: 1.5 * 1024 ** 3 }),
      log: silentLog,
    });
  const now = async ({ id }: { id: string }): Promise<Photo> =>
    (await services.photos.findMany([id]))[0] ?? assert.fail();

  /** A photo as an earlier release stored it. */
  async function store(bytes: Buffer, more: Partial<Photo> = {}): Promise<Photo> {
    const id = uuidv7();
    const storageKey = `photos/${user.id}/${id}`;
    const path = join(storage.scratchFolder, "in");
    writeFileSync(path, bytes);
    await storage.put(storageKey, path);
    const sha256 = createHash("sha256").update(id).digest("hex");
    return services.newPhoto(user, { id, storageKey, sha256, metadataTries: 3, ...more });
  }
  const picture = () =>
    noise(40, 30)
      .jpeg()
      .withExif({
        IFD0: { Make: "Canon", Model: "EOS" },
        IFD2: { DateTimeOriginal: "2024:05:06 07:08:09" },
        IFD3: {
          GPSLatitudeRef: "S",
          GPSLatitude: "41/1 30/1 0/1",
          GPSLongitudeRef: "E",
          GPSLongitude: "174/1 0/1 0/1",
        },
      })
      .toBuffer();

  it("is on the row and in an event, and is read once", async () => {
    const photo = await store(await picture());
    assert.equal(await create().readMissing(signal), 1);
    const { takenAt, takenAtOffset, camera, latitude, longitude, metadataTries } = await now(photo);
    assert.deepEqual(
      [takenAt, takenAtOffset, camera, latitude, longitude, metadataTries],
      ["2024-05-06 07:08:09", null, "Canon EOS", -41.5, 174, 0],
    );
    const event = services.publishedPhotos.at(-1);
    assert.deepEqual(
      [event?.type, event?.photo.id, event?.photo.takenAt],
      ["PREVIEWED", photo.id, "2024-05-06T07:08:09"],
    );
    assert.equal(await create().readMissing(signal), 0);
    assert.deepEqual(readdirSync(storage.scratchFolder), []);
    await assertConsistent(services.database.sql, user.id);
  });

  it("gives a photo without a preview one more attempt, which finds the damage", async () => {
    const photo = await store(await picture(), { previewAttempts: 3 });
    await create().readMissing(signal);
    assert.equal((await now(photo)).previewAttempts, 2);
  });

  it("is tried three times for a file that cannot be read", async () => {
    const photo = await store(Buffer.from("no picture"));
    for (let i = 0; i < 4; i++) assert.equal(await create().readMissing(signal), 0);
    assert.equal((await now(photo)).metadataTries, 0);
  });

  it("costs no attempt while the storage is unavailable", async () => {
    const photo = await store(await picture());
    const away = create({
      localPath: async () => Promise.reject(new ServiceUnavailableError("The storage is away.")),
    });
    await assert.rejects(away.readMissing(signal), /The storage is away/);
    assert.equal((await now(photo)).metadataTries, 3);
  });
});
