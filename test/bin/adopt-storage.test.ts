import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createLocalStorage } from "../../src/photos/local-storage.js";
import { createStorageOwner } from "../../src/services/maintenance/sweep-files.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runBin } from "../support/processes/run-bin.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";

describe("the command adopt-storage", () => {
  const cwd = temporaryFolder().path;
  const files = join(cwd, "photos");
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());
  const run = (...args: string[]) =>
    runBin("adopt-storage", {
      cwd,
      args,
      env: { DATABASE_URL: store.url, STORAGE_URL: `file:${files}` },
    });

  it("assigns the storage, names its former owner, and sweeps only if asked", async () => {
    const storage = await createLocalStorage(files);
    const owner = createStorageOwner({ database: store.database, storage });
    const key = "photos/0198f3a0-0000-7000-8000-00000000000a/0198f3a0-0000-7000-8000-00000000000b";
    const path = join(storage.scratchFolder, "in");
    writeFileSync(path, "x");
    await storage.put(key, path);
    assert.deepEqual(await run(), {
      code: 0,
      stderr: "",
      stdout: `file:${files} belongs to this database.\n`,
    });
    assert.equal(await owner.isOurs(), true);
    const [before_] = await store.database.sql<
      { id: string }[]
    >`select id::text as id from histories`;
    await store.database.sql`update histories set id = gen_random_uuid()`;
    assert.equal(await owner.isOurs(), false);
    assert.deepEqual(await run("--sweep"), {
      code: 0,
      stderr: "",
      stdout:
        `file:${files} belongs to this database; before, it belonged to the database with ` +
        `the history ${before_?.id}.\n0 files without a row were deleted.\n`,
    });
    assert.deepEqual(
      [await owner.isOurs(), await storage.has(key)],
      [true, true],
      "the file is too new to be swept",
    );
  });

  it("prints its usage for other arguments", async () => {
    const { code, stderr } = await run("--all");
    assert.equal(code, 1);
    assert.match(stderr, /Usage: node dist\/bin\/adopt-storage\.js \[--sweep\]/);
  });
});
