import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, beforeEach, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { ServiceUnavailableError } from "../../../../src/domain/errors.js";
import {
  createPhotoInspector,
  type PhotoInspector,
} from "../../../../src/imaging/inspect/photo-inspector.js";
import { createLocalStorage } from "../../../../src/photos/local-storage.js";
import type { Storage } from "../../../../src/photos/storage.js";
import {
  createPhotoIntake,
  type PhotoIntake,
  type Receive,
} from "../../../../src/services/photos/photo-intake.js";
import type { User } from "../../../../src/services/users/users.js";
import { noise } from "../../../imaging/noise.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { refusalOf, type Refusal } from "../../../support/asserts/refusal-of.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const MAX_UPLOAD_BYTES = 300_000;
const MAX_STORED_BYTES = 200_000;
const overQuota = await noise(280, 280).png({ compressionLevel: 0 }).toBuffer();

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
  const photosOf = async ({ id }: User) =>
    (await services.database.sql`select from photos where user_id = ${id}`).length;
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

  describe("that is refused leaves neither a row nor a file", () => {
    const refused: {
      what: string;
      read: (receive: Receive) => Promise<void>;
      refusal: Refusal | RegExp;
    }[] = [
      {
        what: "when it has no file",
        read: async () => {},
        refusal: {
          code: "BAD_USER_INPUT",
          message: "file: The upload contains no file; send exactly one file.",
          issues: [
            { path: ["file"], message: "The upload contains no file; send exactly one file." },
          ],
        },
      },
      {
        what: "when the file is empty",
        read: (receive) => receive(Readable.from([]), "a.png"),
        refusal: {
          code: "BAD_USER_INPUT",
          message: "file: The file is empty.",
          issues: [{ path: ["file"], message: "The file is empty." }],
        },
      },
      {
        what: "when it has a second file",
        async read(receive) {
          await receive(Readable.from([smallPhoto()]), "a.png");
          await receive(Readable.from([smallPhoto()]), "b.png");
        },
        refusal: {
          code: "BAD_USER_INPUT",
          message: "file: The upload contains a second file; upload one file per request.",
          issues: [
            {
              path: ["file"],
              message: "The upload contains a second file; upload one file per request.",
            },
          ],
        },
      },
      {
        what: "when it is longer than allowed",
        read: (receive) =>
          receive(Readable.from(Array.from({ length: 31 }, () => Buffer.alloc(10_000))), "a.png"),
        refusal: {
          code: "PHOTO_TOO_LARGE",
          message: "The file is longer than 300000 bytes. Scale it down and upload it again.",
        },
      },
      {
        what: "when it has too many pixels",
        read: (receive) => receive(Readable.from([smallPhotoOf(1001, 1000)]), "a.png"),
        refusal: /^PHOTO_TOO_LARGE: .*pixels/,
      },
      {
        what: "when it is not a photo",
        read: (receive) => receive(Readable.from([Buffer.from("%PDF-1.7 ...")]), "a.pdf"),
        refusal: /^PHOTO_UNREADABLE: .*PDF/,
      },
      {
        what: "when its header is truncated",
        read: (receive) => receive(Readable.from([smallPhoto().subarray(0, 20)]), "a.png"),
        refusal: /^PHOTO_UNREADABLE: /,
      },
      {
        what: "when it would exceed the quota",
        read: (receive) => receive(Readable.from([overQuota]), "a.png"),
        refusal: {
          code: "QUOTA_EXCEEDED",
          message:
            "Quota exceeded: at most 200000 bytes of photos and outputs per user; delete some.",
          retryAfterMs: 60_000,
        },
      },
    ];
    for (const { what, read, refusal } of refused) {
      it(what, async () => {
        const before_ = await files();
        const answer = await refusalOf(take(read));
        if (refusal instanceof RegExp) assert.match(`${answer.code}: ${answer.message}`, refusal);
        else assert.deepEqual(answer, refusal);
        assert.deepEqual(await files(), before_);
        assert.deepEqual(await services.users.counters(user.id), { pending: 0, storedBytes: 0 });
        assert.equal(await photosOf(user), 0);
      });
    }

    it("when its sender aborts, with the error of the reader", async () => {
      const before_ = await files();
      async function* broken() {
        yield smallPhoto().subarray(0, 50);
        throw new Error("the connection was lost");
      }
      await assert.rejects(
        take((receive) => receive(Readable.from(broken()), "a.png")),
        { message: "the connection was lost" },
      );
      assert.deepEqual(await files(), before_);
    });

    it("when the reader finds a fault after the file", async () => {
      const before_ = await files();
      await assert.rejects(
        take(async (receive) => {
          await receive(Readable.from([smallPhoto()]), "a.png");
          throw new Error("the form has no end");
        }),
        { message: "the form has no end" },
      );
      assert.deepEqual(await files(), before_);
      assert.equal(await photosOf(user), 0);
    });

    it("when the disk fails, which is not the sender's fault", async () => {
      const gone = { ...storage, scratchFolder: join(folder, "gone") };
      const away = createPhotoIntake({
        photos: services.photos,
        users: services.users,
        storage: gone,
        inspector,
        maxUploadBytes: MAX_UPLOAD_BYTES,
        maxStoredBytes: MAX_STORED_BYTES,
      });
      await assert.rejects(
        take((receive) => receive(Readable.from([smallPhoto()]), "a.png"), away),
        ServiceUnavailableError,
      );
    });

    it("when the storage accepts the photo but not its preview", async () => {
      // A file lies at the path of this user's preview folder.
      await upload(smallPhoto());
      const other = await services.newUser();
      await writeFile(join(folder, "kept", "previews", other.id), "in the way");
      user = other;
      const before_ = await files();
      await assert.rejects(upload(smallPhoto()));
      assert.deepEqual(await files(), before_);
    });
  });

  it("leaves consistent counters", () => assertConsistent(services.database.sql));
});

/** Makes a PNG without pixels whose header declares the given size. */
function smallPhotoOf(width: number, height: number): Buffer {
  const bytes = smallPhoto();
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}
