import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { createLocalStorage } from "../../../src/photos/local-storage.js";
import type { Storage } from "../../../src/photos/storage.js";
import { createLostFiles } from "../../../src/services/maintenance/lost-files.js";
import { outputKey } from "../../../src/domain/queued-job.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("files with a row that are missing in the storage", () => {
  const folder = temporaryFolder().path;
  let services: TestServices;
  let storage: Storage;
  before(async () => {
    services = await createTestServices();
    storage = await createLocalStorage(folder);
  });
  after(() => services.close());

  const lines: Record<string, unknown>[] = [];
  const log = createLoggerTo({
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const signal = new AbortController().signal;
  /** Runs a whole pass and counts its slices. */
  async function count(through: Pick<Storage, "has"> = storage): Promise<number> {
    const lostFiles = createLostFiles({ database: services.database, storage: through, log });
    let [total, from]: [number, string | null] = [0, null];
    slices = 0;
    do {
      const slice = await lostFiles.run({ from, signal });
      [total, from] = [total + slice.lost, slice.next];
      slices++;
    } while (from !== null);
    return total;
  }
  let slices = 0;

  async function put(key: string): Promise<void> {
    const path = join(storage.scratchFolder, "in");
    writeFileSync(path, key);
    await storage.put(key, path);
  }

  it("are counted and logged, of originals, previews and outputs, and not deleted", async () => {
    const user = await services.newUser();
    const claimed = await services.start(await services.submit(user));
    const photo = await services.newPhoto(user, {
      id: claimed.id,
      storageKey: `photos/${user.id}/${claimed.id}`,
      previewKey: `previews/${user.id}/${claimed.id}`,
    });
    const output = outputKey({ id: claimed.id, userId: user.id, attempts: 1 }, "a");
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
    const keys = [photo.storageKey, photo.previewKey ?? "", output];
    for (const key of keys) await put(key);
    assert.deepEqual([await count(), lines], [0, []]);
    for (const [i, key] of keys.entries()) {
      rmSync(join(folder, "kept", key));
      assert.equal(await count(), i + 1);
      assert.deepEqual(
        [lines.at(-1)?.["level"], lines.at(-1)?.["files"], lines.at(-1)?.["storageKeys"]],
        [50, i + 1, keys.slice(0, i + 1)],
      );
    }
    assert.equal((await services.database.sql`select from photos`).length, 1);
    assert.equal((await services.database.sql`select from queued_job_outputs`).length, 1);
  });

  it("are searched in slices, and are ignored when their row was deleted in between", async () => {
    await services.database.sql`delete from users`;
    const user = await services.newUser();
    await services.database
      .sql`insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
          storage_key, created_at)
      select id, ${user.id}, 'a', 'image/png', 1, 1, 1, id::text,
        'photos/' || ${user.id} || '/' || id, now() from (select gen_random_uuid() as id
        from generate_series(1, 1201)) ids`;
    lines.length = 0;
    assert.equal(await count(), 1201);
    assert.equal(slices, 3);
    assert.equal((lines as { storageKeys: string[] }[])[0]?.storageKeys.length, 10);
    assert.equal(
      await count({ has: async () => (await services.database.sql`delete from users`, false) }),
      0,
    );
  });

  it("are found beside a file that the storage cannot check, which is logged", async () => {
    await services.database.sql`delete from users`;
    const user = await services.newUser();
    const [poison, lost] = [
      await services.newPhoto(user, { storageKey: `photos/${user.id}/${user.id}` }),
      await services.newPhoto(user),
    ];
    lines.length = 0;
    const has = async (key: string) =>
      key === poison.storageKey ? Promise.reject(new Error("403")) : false;
    await services.database.sql`update photos set storage_key = 'photos/' || ${user.id} || '/' || id
          where id = ${lost.id}`;
    assert.equal(await count({ has }), 1);
    assert.deepEqual(
      lines.map(({ level, storageKey }) => [level, storageKey]),
      [
        [40, poison.storageKey],
        [50, undefined],
      ],
    );
    await assert.rejects(count({ has: () => Promise.reject(new Error("the storage is away")) }), {
      message: "the storage is away",
    });
  });

  it("are searched in a fixed number of slices, which grow with the tables", async () => {
    await services.database
      .sql`update pg_class set reltuples = 2000000 where oid = 'photos'::regclass`;
    await services.database.sql`delete from users`;
    const user = await services.newUser();
    await services.database
      .sql`insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
          storage_key, created_at)
      select gen_random_uuid(), ${user.id}, 'a', 'image/png', 1, 1, 1, i::text, 'k' || i, now()
        from generate_series(1, 1200) i`;
    assert.equal(await count({ has: async () => true }), 0);
    assert.equal(slices, 2);
  });
});
