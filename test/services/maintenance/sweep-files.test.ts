import assert from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { createLocalStorage } from "../../../src/photos/local-storage.js";
import { createS3Storage } from "../../../src/photos/s3-storage.js";
import type { Storage } from "../../../src/photos/storage.js";
import {
  createStorageOwner,
  createFileSweep,
  type FileSweepDeps,
} from "../../../src/services/maintenance/sweep-files.js";
import type { User } from "../../../src/services/users/users.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { startS3Server, type S3Server } from "../../support/stores/s3-server.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestDatabase } from "../../support/stores/test-database.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const NOT_OURS =
  "The storage belongs to another database, so no file was removed: check STORAGE_URL; " +
  "if this database should own the storage, run node dist/bin/adopt-storage.js";

describe("the sweep of files", () => {
  const folder = temporaryFolder().path;
  let services: TestServices;
  let server: S3Server;
  let user: User;
  before(async () => {
    [services, server] = await Promise.all([createTestServices(), startS3Server()]);
    user = await services.newUser();
  });
  after(async () => {
    await services.close();
    await server.close();
  });

  const lines: Record<string, unknown>[] = [];
  const log = createLoggerTo({
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  let opened = 0;
  const nextFolder = () => join(folder, String(++opened));
  const kinds: Record<string, () => Promise<Storage>> = {
    "local files": () => createLocalStorage(nextFolder()),
    S3: () =>
      createS3Storage({
        bucket: server.bucket,
        prefix: `sweep-${++opened}/`,
        region: "us-east-1",
        endpoint: server.endpoint,
        accessKeyId: "id",
        secretAccessKey: "secret",
        scratchFolder: nextFolder(),
        log: silentLog,
      }),
  };

  async function put(storage: Storage, key: string): Promise<void> {
    const path = join(storage.scratchFolder, "in");
    await writeFile(path, key);
    await storage.put(key, path);
  }
  /** Stores a file without a row and returns its key. */
  const orphan = (i: number) =>
    `outputs/${user.id}/0198f3a0-0000-7000-8000-${String(i).padStart(12, "0")}/1/a`;
  async function putOrphans(storage: Storage, count: number): Promise<void> {
    for (let i = 0; i < count; i++) await put(storage, orphan(i));
  }
  async function keysOf(storage: Storage): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of storage.list()) keys.push(key);
    return keys.toSorted();
  }

  for (const [kind, open] of Object.entries(kinds)) {
    describe(`on ${kind}`, () => {
      let storage: Storage;
      beforeEach(async () => {
        storage = await open();
      });
      const sweep = (more: Partial<FileSweepDeps> = {}) =>
        createFileSweep({
          database: services.database,
          storage,
          graceMs: -1000,
          log,
          ...more,
        }).run();

      it("assigns a free storage to its database, and removes files without a row", async () => {
        await putOrphans(storage, 2);
        assert.equal(await sweep(), 2);
        assert.deepEqual(await keysOf(storage), ["owner"]);
        assert.equal(
          await createStorageOwner({ database: services.database, storage }).isOurs(),
          true,
        );
        assert.equal(await sweep(), 0);
      });

      it("removes nothing of another database until this database adopts the storage", async () => {
        const other = await createTestDatabase();
        await other.database.sql`update histories set id = gen_random_uuid()`;
        await createStorageOwner({ database: other.database, storage }).adopt();
        await putOrphans(storage, 2);
        await assert.rejects(sweep(), { message: NOT_OURS });
        assert.equal((await keysOf(storage)).length, 3);
        const [theirs] = await other.database.sql<
          { id: string }[]
        >`select id::text as id from histories`;
        assert.equal(
          await createStorageOwner({ database: services.database, storage }).adopt(),
          theirs?.id,
        );
        assert.equal(await sweep(), 2);
        await assert.rejects(sweep({ database: other.database }), { message: NOT_OURS });
        await other.close();
      });

      it("removes nothing when another database adopts the storage while it lists", async () => {
        const other = await createTestDatabase();
        await other.database.sql`update histories set id = gen_random_uuid()`;
        await putOrphans(storage, 2);
        const givenAway: Storage = {
          ...storage,
          async *list() {
            yield* storage.list();
            await createStorageOwner({ database: other.database, storage }).adopt();
          },
        };
        await assert.rejects(sweep({ storage: givenAway }), { message: NOT_OURS });
        assert.equal((await keysOf(storage)).length, 3);
        await other.close();
      });

      it("removes nothing when too many files have no row, and logs an error", async () => {
        await putOrphans(storage, 101);
        lines.length = 0;
        await assert.rejects(sweep(), {
          message:
            "101 of 101 files have no row, and one run may not remove so many: check " +
            "DATABASE_URL and STORAGE_URL; if these files are really left over, run " +
            "node dist/bin/adopt-storage.js --sweep",
        });
        assert.equal((await keysOf(storage)).length, 102);
        assert.deepEqual(
          lines.map(({ level, listed, leftOver, storageKeys }) => [
            level,
            listed,
            leftOver,
            (storageKeys as string[]).length,
          ]),
          [[50, 101, 101, 10]],
        );
        assert.equal(await sweep({ maxShare: 1 }), 101);
      });
    });
  }

  describe("by age and by row", () => {
    let storage: Storage;
    let root: string;
    beforeEach(async () => {
      root = nextFolder();
      storage = await createLocalStorage(root);
    });
    const sweep = (signal?: AbortSignal) =>
      createFileSweep({ database: services.database, storage, log: silentLog }).run(signal);

    async function putOld(key: string, ageMinutes: number): Promise<void> {
      const [path, then] = [join(root, "kept", key), new Date(Date.now() - ageMinutes * 60_000)];
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, key);
      await utimes(path, then, then);
    }

    it("removes only files of the service without a row, older than an hour", async () => {
      const claimed = await services.start(await services.submit(user));
      const [named, preview, image, output] = [
        `photos/${user.id}/${claimed.id}`,
        `previews/${user.id}/${claimed.id}`,
        `renditions/${user.id}/${claimed.id}/64.webp`,
        `outputs/${claimed.id}/1/a`,
      ];
      await services.newPhoto(user, { id: claimed.id, storageKey: named, previewKey: preview });
      const { sql } = services.database;
      await sql`update photos set renditions = '{64.webp}' where id = ${claimed.id}`;
      await services.queuedJobs.succeed(claimed, null, [
        {
          name: "a",
          mimeType: "text/plain",
          byteSize: 1,
          width: null,
          height: null,
          storageKey: output,
        },
      ]);
      const [left, unlisted, zombie, young] = [
        `photos/${user.id}/${user.id}`,
        `renditions/${user.id}/${claimed.id}/128.webp`,
        `outputs/${claimed.id}/2/a`,
        `photos/${user.id}/0198f3a0-0000-7000-8000-00000000000a`,
      ];
      const kept = [named, preview, image, output, "stray"];
      const removed = [left, unlisted, zombie];
      for (const key of [...kept, ...removed]) await putOld(key, 61);
      await putOld(young, 59);
      assert.equal(await sweep(), 3);
      const areThere = (keys: string[]) => Promise.all(keys.map((key) => storage.has(key)));
      assert.deepEqual(await areThere([...kept, young]), [true, true, true, true, true, true]);
      assert.deepEqual(await areThere(removed), [false, false, false]);
      assert.equal(await sweep(), 0);
    });

    it("removes incomplete files of a killed process, and keeps current ones", async () => {
      const then = new Date(Date.now() - 61 * 60_000);
      for (const name of ["upload-left", "upload"])
        await writeFile(join(storage.scratchFolder, name), name);
      for (const name of ["attempt-left", "attempt"])
        await mkdir(join(storage.scratchFolder, name));
      await writeFile(join(storage.scratchFolder, "attempt-left", "64w.webp"), "half");
      for (const name of ["upload-left", "attempt-left"])
        await utimes(join(storage.scratchFolder, name), then, then);
      await sweep();
      assert.deepEqual((await readdir(storage.scratchFolder)).toSorted(), ["attempt", "upload"]);
    });

    it("removes more than a hundred files when they are less than a tenth", async () => {
      const ids = Array.from(
        { length: 1100 },
        (_, i) => `0198f3a0-0000-7000-8000-${String(i).padStart(12, "0")}`,
      );
      await services.database.sql`
        insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
          storage_key, created_at)
        select id, ${user.id}, 'a', 'image/png', 1, 1, 1, id::text,
          'photos/' || ${user.id}::text || '/' || id, now() from unnest(${ids}::uuid[]) id`;
      for (const id of ids) await putOld(`photos/${user.id}/${id}`, 61);
      for (let i = 0; i < 110; i++)
        await putOld(
          `outputs/${user.id}/0198f3a0-0000-7000-8000-${String(i).padStart(12, "0")}/1/a`,
          61,
        );
      assert.equal(await sweep(), 110);
    });

    it("stops without removing anything when it is aborted during the listing", async () => {
      await putOld(orphan(1), 61);
      await assert.rejects(sweep(AbortSignal.abort(new Error("The worker is closing"))), {
        message: "The worker is closing",
      });
      assert.equal(await storage.has(orphan(1)), true);
    });
  });
});
