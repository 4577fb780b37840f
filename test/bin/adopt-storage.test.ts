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

  it(
    "makes the storage this database's, says whose it was, and removes what no row names " +
      "only where it is asked to",
    async () => {
      const storage = await createLocalStorage(files);
      const owner = createStorageOwner({ database: store.database, storage });
      const key =
        "photos/0198f3a0-0000-7000-8000-00000000000a/0198f3a0-0000-7000-8000-00000000000b";
      const path = join(storage.scratchFolder, "in");
      writeFileSync(path, "x");
      await storage.put(key, path);
      assert.deepEqual(await run(), {
        code: 0,
        stderr: "",
        stdout: `file:${files} is this database's.\n`,
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
          `file:${files} is this database's; before it was the database's with the history ` +
          `${before_?.id}.\n0 files that no row names were removed.\n`,
      });
      assert.deepEqual(
        [await owner.isOurs(), await storage.has(key)],
        [true, true],
        "it is young still",
      );
    },
  );

  it("says how it is used when it is given anything else", async () => {
    const { code, stderr } = await run("--all");
    assert.equal(code, 1);
    assert.match(stderr, /Usage: node dist\/src\/bin\/adopt-storage\.js \[--sweep\]/);
  });
});
