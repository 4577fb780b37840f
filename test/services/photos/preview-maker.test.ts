import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import { ChildStoppedError } from "../../../src/child-pool/exit-reason.js";
import {
  createPhotoInspector,
  type PhotoInspector,
} from "../../../src/imaging/inspect/photo-inspector.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { createLocalStorage } from "../../../src/photos/local-storage.js";
import type { Storage } from "../../../src/photos/storage.js";
import { createPreviewMaker } from "../../../src/services/photos/preview-maker.js";
import type { Photo } from "../../../src/services/photos/photos.js";
import type { User } from "../../../src/services/users/users.js";
import { noise } from "../../imaging/noise.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("previews that are made later", () => {
  const folder = temporaryFolder().path;
  let services: TestServices;
  let storage: Storage;
  let user: User;
  let picture: Buffer;
  before(async () => {
    services = await createTestServices();
    storage = await createLocalStorage(folder);
    picture = await noise(60, 40).png().toBuffer();
  });
  beforeEach(async () => {
    await services.database.sql`delete from users`;
    user = await services.newUser();
  });
  after(() => services.close());

  let opened = 0;
  const openInspector = () => (
    opened++,
    createPhotoInspector({
      log: silentLog,
      maxPixels: 1_000_000,
      memoryLimitBytes: 1.5 * 1024 ** 3,
    })
  );
  const create = (more: Partial<Parameters<typeof createPreviewMaker>[0]> = {}) =>
    createPreviewMaker({
      database: services.database,
      bus: services.bus,
      storage,
      openInspector,
      log: silentLog,
      ...more,
    });
  /** An inspector whose previews have the given outcomes. */
  const failing = (fail: () => Promise<never>) => ({
    openInspector: (): PhotoInspector => ({ ...openInspector(), preview: fail }),
  });
  const photoNow = async ({ id }: { id: string }): Promise<Photo> =>
    (await services.photos.findMany([id]))[0] ?? assert.fail();

  async function store(bytes: Buffer): Promise<Photo> {
    const id = uuidv7();
    const storageKey = `photos/${user.id}/${id}`;
    const path = join(storage.scratchFolder, "in");
    writeFileSync(path, bytes);
    await storage.put(storageKey, path);
    return services.newPhoto(user, {
      id,
      storageKey,
      sha256: createHash("sha256").update(bytes).update(id).digest("hex"),
    });
  }

  it("show the photo upright, with thumbhash and perceptual hash, and are made once", async () => {
    const photo = await store(
      await sharp(picture).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    );
    const maker = create();
    assert.equal(await maker.makePreviews(), 1);
    const { previewKey, thumbhash, phash, previewAttempts } = await photoNow(photo);
    assert.equal(previewKey, `previews/${user.id}/${photo.id}.1`);
    const preview = await sharp(
      (await storage.localPath(previewKey, folder)) ?? undefined,
    ).metadata();
    assert.deepEqual([preview.format, preview.width, preview.height], ["webp", 40, 60]);
    assert.deepEqual([typeof thumbhash, typeof phash, previewAttempts], ["string", "bigint", 1]);
    opened = 0;
    assert.deepEqual([await maker.makePreviews(), opened], [0, 0]);
    assert.deepEqual(readdirSync(storage.scratchFolder), []);
  });

  it("are not retried when the picture is broken", async () => {
    const photo = await store((await noise(300, 300).png().toBuffer()).subarray(0, 5000));
    assert.equal(await create().makePreviews(), 0);
    assert.deepEqual(
      [(await photoNow(photo)).previewAttempts, (await photoNow(photo)).previewKey],
      [3, null],
    );
  });

  it("are tried three times when the child dies, after photos with fewer attempts", async () => {
    const [killer] = [await store(picture), await store(picture)];
    const tried: string[] = [];
    const maker = create(
      failing(async () => Promise.reject(new ChildStoppedError("crashed", "it died"))),
    );
    const watched = create({
      storage: { ...storage, localPath: async (key) => (tried.push(key), null) },
    });
    await services.database.sql`update photos set preview_attempts = 1 where id = ${killer.id}`;
    await watched.makePreviews();
    assert.equal(tried.at(-1), killer.storageKey);
    for (let i = 0; i < 3; i++) assert.equal(await maker.makePreviews(), 0);
    assert.equal((await photoNow(killer)).previewAttempts, 3);
    opened = 0;
    await maker.makePreviews();
    assert.equal(opened, 0);
  });

  it("cost no attempt while a store is unavailable, and are made later", async () => {
    const photo = await store(picture);
    const away = new ServiceUnavailableError("The storage is unavailable; try again in a moment.");
    await assert.rejects(
      create({ storage: { ...storage, put: () => Promise.reject(away) } }).makePreviews(),
      away,
    );
    assert.equal((await photoNow(photo)).previewAttempts, 0);
    assert.equal(await create().makePreviews(), 1);
  });

  it("are made of other photos when the storage fails for one, at its cost", async () => {
    const [poison, good] = [await store(picture), await store(picture)];
    const lines: Record<string, unknown>[] = [];
    const log = createLoggerTo({
      write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    });
    const away = new ServiceUnavailableError("The storage is unavailable; try again in a moment.");
    const partly: Storage = {
      ...storage,
      localPath: (key, into) =>
        key === poison.storageKey ? Promise.reject(away) : storage.localPath(key, into),
    };
    assert.equal(await create({ storage: partly, log }).makePreviews(), 1);
    assert.deepEqual(
      [(await photoNow(poison)).previewAttempts, (await photoNow(good)).previewKey !== null],
      [1, true],
    );
    assert.deepEqual(
      lines.filter(({ level }) => level === 40).map(({ photoId, attempt }) => [photoId, attempt]),
      [[poison.id, 1]],
    );
  });

  it("are tried for at most three photos while a store is unavailable", async () => {
    for (let i = 0; i < 5; i++) await store(picture);
    let tries = 0;
    const away: Storage = {
      ...storage,
      localPath: async () => Promise.reject(new ServiceUnavailableError(`try ${++tries}`)),
    };
    await assert.rejects(create({ storage: away }).makePreviews(), { message: "try 1" });
    assert.equal(tries, 3);
    assert.equal(
      (await services.database.sql`select from photos where preview_attempts > 0`).length,
      0,
    );
  });

  it("are made once when two workers start at the same time", async () => {
    const photo = await store(picture);
    const made = await Promise.all([create().makePreviews(), create().makePreviews()]);
    assert.deepEqual(made.toSorted(), [0, 1]);
    assert.ok(await storage.has((await photoNow(photo)).previewKey ?? ""));
  });

  it("leave nothing when their photo is deleted in the meantime", async () => {
    const photo = await store(picture);
    const put: Storage["put"] = async (key, path) => (
      await services.photos.remove(user.id, photo.id),
      storage.put(key, path)
    );
    assert.equal(await create({ storage: { ...storage, put } }).makePreviews(), 0);
    assert.equal(await storage.has(`previews/${user.id}/${photo.id}.1`), false);
  });

  it("are abandoned without an attempt when the worker closes", async () => {
    const photo = await store(picture);
    let began = (): void => {};
    const started = new Promise<void>((resolve) => (began = resolve));
    const maker = create({
      openInspector: () => {
        const inspector = openInspector();
        return {
          ...inspector,
          preview: (...args) => (began(), inspector.preview(...args)),
          close: () => inspector.close(),
        };
      },
    });
    const running = maker.makePreviews();
    await started;
    await maker.close();
    assert.equal(await running, 0);
    assert.deepEqual(
      [(await photoNow(photo)).previewAttempts, readdirSync(storage.scratchFolder)],
      [0, []],
    );
    assert.equal(await maker.makePreviews(), 0);
  });
});
