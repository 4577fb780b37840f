import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { ChildStoppedError } from "../../../src/child-pool/exit-reason.js";
import {
  PhotoTooLargeError,
  PhotoUnreadableError,
  ServiceUnavailableError,
} from "../../../src/domain/errors.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import {
  createRenditionMaker,
  type RenditionMaker,
} from "../../../src/imaging/renditions/rendition-maker.js";
import { createLocalStorage } from "../../../src/photos/local-storage.js";
import type { Storage } from "../../../src/photos/storage.js";
import type { Photo } from "../../../src/services/photos/photos.js";
import {
  createRenditions,
  type Renditions,
  type RenditionsDeps,
} from "../../../src/services/photos/renditions.js";
import type { User } from "../../../src/services/users/users.js";
import { noise } from "../../imaging/noise.js";
import { assertQuadrants, storedQuadrants } from "../../imaging/quadrants.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const died = (reason: ChildStoppedError["reason"]) =>
  Promise.reject(new ChildStoppedError(reason, "it died"));

describe("renditions", () => {
  const folder = temporaryFolder().path;
  let services: TestServices;
  let storage: Storage;
  let maker: RenditionMaker;
  let user: User;
  before(async () => {
    services = await createTestServices();
    storage = await createLocalStorage(folder);
    maker = createRenditionMaker({
      log: silentLog,
      children: 1,
      maxPixels: 10_000_000,
      memoryLimitBytes: 1.5 * 1024 ** 3,
    });
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(async () => {
    await Promise.all([maker.close(), services.close()]);
  });

  let decodes = 0;
  /** Counts the requests to the child. */
  const counting: RenditionMaker["make"] = (request) => (decodes++, maker.make(request));
  function open(
    make: RenditionMaker["make"] = counting,
    more: Partial<RenditionsDeps> = {},
  ): Renditions {
    decodes = 0;
    return createRenditions({
      database: services.database,
      photos: services.photos,
      storage,
      maker: { ...maker, make },
      concurrency: 1,
      log: silentLog,
      ...more,
    });
  }
  const photoNow = async ({ id }: { id: string }): Promise<Photo> =>
    (await services.photos.findMany([id]))[0] ?? assert.fail();

  async function store(bytes: Buffer, width: number, height: number): Promise<Photo> {
    const id = uuidv7();
    const storageKey = `photos/${user.id}/${id}`;
    const path = join(storage.scratchFolder, id);
    writeFileSync(path, bytes);
    await storage.put(storageKey, path);
    const sha256 = createHash("sha256").update(bytes).update(id).digest("hex");
    return services.newPhoto(user, { id, storageKey, sha256, width, height });
  }
  const picture = async () => store(await noise(300, 200).jpeg().toBuffer(), 300, 200);
  const keyOf = ({ id }: Photo, name: string) => `renditions/${user.id}/${id}/${name}`;

  it("are upright in each format and orientation, without metadata", async () => {
    const renditions = open();
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const { data, raw } = storedQuadrants(200, 120, orientation);
      const file = await sharp(data, { raw }).withMetadata({ orientation }).jpeg().toBuffer();
      const photo = await store(file, 200, 120);
      const [name, format] = (
        [
          ["128.webp", "webp"],
          ["128.jpg", "jpeg"],
          ["128.avif", "heif"],
        ] as const
      )[orientation % 3] ?? ["", ""];
      const { bytes } = (await renditions.read(photo.id, name)) ?? assert.fail();
      await assertQuadrants(bytes, 20);
      const { width, height, exif, icc, ...metadata } = await sharp(bytes).metadata();
      assert.deepEqual(
        [metadata.format, width, height, exif, icc],
        [format, 128, 77, undefined, undefined],
      );
    }
  });

  it("are made once, however many ask, and stored", async () => {
    const renditions = open();
    const photo = await picture();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => renditions.read(photo.id, "256.webp")),
    );
    assert.equal(new Set(answers.map((answer) => answer?.bytes)).size, 1);
    assert.equal(decodes, 1);
    assert.equal(await storage.has(keyOf(photo, "256.webp")), true);
    assert.deepEqual((await photoNow(photo)).renditions, ["256.webp"]);
    assert.equal(answers[0]?.mimeType, "image/webp");
    assert.deepEqual(readdirSync(storage.scratchFolder), []);
  });

  it("are found by another process", async () => {
    const photo = await picture();
    const first = await open().read(photo.id, "128.jpg");
    const second = await open().read(photo.id, "128.jpg");
    assert.deepEqual([second?.bytes, decodes], [first?.bytes, 0]);
  });

  it("are made again when the storage has lost them", async () => {
    const photo = await picture();
    await open().read(photo.id, "128.jpg");
    await storage.delete([keyOf(photo, "128.jpg")]);
    assert.ok(await open().read(photo.id, "128.jpg"));
    assert.equal(decodes, 1);
  });

  it("do not exist for other names and photos", async () => {
    const renditions = open();
    const photo = await picture();
    for (const name of ["65.webp", "512.webp", "64.png"])
      assert.equal(await renditions.read(photo.id, name), null, name);
    assert.equal(await renditions.read(uuidv7(), "64.webp"), null);
    assert.equal(decodes, 0);
  });

  it("are deleted with the photo, also one that is being made", async () => {
    const photo = await picture();
    const renditions = open();
    await renditions.read(photo.id, "64.webp");
    await services.photos.remove(user.id, photo.id);
    assert.ok(services.deletedFiles.includes(keyOf(photo, "64.webp")));
    assert.equal(await renditions.read(photo.id, "64.webp"), null);

    const late = await picture();
    const slow = open(async (request) => {
      await counting(request);
      await services.photos.remove(user.id, late.id);
    });
    assert.equal(await slow.read(late.id, "64.webp"), null);
    assert.equal(await storage.has(keyOf(late, "64.webp")), false);
  });

  it("are tried once more after the death of a child, and the second death is final", async () => {
    const photo = await picture();
    let deaths = 0;
    const renditions = open(() => (deaths++, died("crashed")));
    const refused = {
      name: PhotoUnreadableError.name,
      message:
        "The picture could not be decoded: the decoder stopped at it twice. Upload the original " +
        "file again.",
    };
    const names = ["64.webp", "64.webp", "128.avif", "256.jpg"];
    await Promise.all(
      names.map((name) => assert.rejects(renditions.read(photo.id, name), refused)),
    );
    await assert.rejects(open(() => died("memory")).read(photo.id, "64.jpg"), refused);
    assert.equal(deaths, 2);
  });

  it("survive a single death of a child", async () => {
    const photo = await picture();
    for (const [at, reason] of (["crashed", "memory", "timeout"] as const).entries()) {
      let deaths = 0;
      const dying = open((request) => (deaths++ === 0 ? died(reason) : counting(request)));
      assert.ok(await dying.read(photo.id, ["64.webp", "128.webp", "256.webp"][at] ?? ""));
    }
    assert.equal((await photoNow(photo)).renditionError, null);
  });

  it("never blame the photo when another process kills the child", async () => {
    const photo = await picture();
    const killed = open(() => died("killed"));
    for (let i = 0; i < 3; i++)
      await assert.rejects(killed.read(photo.id, "64.webp"), {
        name: ServiceUnavailableError.name,
        message: "The image could not be made; try again in a moment.",
      });
    assert.ok(await open().read(photo.id, "64.webp"));
  });

  it("are refused with the reason when the photo is damaged, after one decode", async () => {
    const photo = await store((await noise(300, 300).png().toBuffer()).subarray(0, 5000), 300, 300);
    const renditions = open();
    for (const name of ["64.webp", "64.webp", "128.jpg"])
      await assert.rejects(renditions.read(photo.id, name), {
        name: PhotoUnreadableError.name,
        message: /^The photo is damaged or cut off/,
      });
    assert.equal(decodes, 1);
  });

  it("are refused after two failures for lack of memory", async () => {
    const photo = await picture();
    let tries = 0;
    const renditions = open(() => (tries++, Promise.reject(new PhotoTooLargeError("too large"))));
    for (let i = 0; i < 3; i++)
      await assert.rejects(renditions.read(photo.id, "64.webp"), { message: "too large" });
    assert.equal(tries, 2);
  });

  it("are unavailable while the storage is, and the photo is not at fault", async () => {
    const photo = await picture();
    const away = () =>
      Promise.reject(new ServiceUnavailableError("The storage is unavailable; try again."));
    for (const fault of [{ localPath: away }, { put: away }]) {
      const outcomes: string[] = [];
      const renditions = open(counting, {
        storage: { ...storage, ...fault },
        onAnswer: (outcome) => outcomes.push(outcome),
      });
      await assert.rejects(renditions.read(photo.id, "64.webp"), { code: "SERVICE_UNAVAILABLE" });
      assert.deepEqual(outcomes, ["refused"]);
    }
    const { renditions, renditionError } = await photoNow(photo);
    assert.deepEqual([renditions, renditionError], [[], null]);
    assert.deepEqual(readdirSync(storage.scratchFolder), []);
    assert.ok(await open().read(photo.id, "64.webp"));
    const later = open(counting, { storage: { ...storage, read: away } });
    await assert.rejects(later.read(photo.id, "64.webp"), { code: "SERVICE_UNAVAILABLE" });
  });
});
