import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, it, describe } from "node:test";
import { createLocalStorage } from "../../../../src/photos/local-storage.js";
import {
  createStorageOwner,
  type StorageOwner,
} from "../../../../src/services/maintenance/sweep-files.js";
import { temporaryFolder } from "../../../imaging/temporary-folder.js";
import { createTestDatabase, type TestDatabase } from "../../../support/stores/test-database.js";

describe("the owner of a storage", () => {
  const folder = temporaryFolder().path;
  let here: TestDatabase;
  let there: TestDatabase;
  before(async () => {
    [here, there] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    for (const { database } of [here, there])
      await database.sql`update histories set id = gen_random_uuid()`;
  });
  after(async () => void (await Promise.all([here.close(), there.close()])));

  async function ownersOf(name: string): Promise<[StorageOwner, StorageOwner]> {
    const storage = await createLocalStorage(join(folder, name));
    return [
      createStorageOwner({ database: here.database, storage }),
      createStorageOwner({ database: there.database, storage }),
    ];
  }

  it("is the history of the first database, stored in an object named owner", async () => {
    const [first, second] = await ownersOf("first");
    assert.deepEqual(
      [await first.isOurs(), await second.isOurs(), await first.isOurs()],
      [true, false, true],
    );
    const [history] = await here.database.sql<
      { id: string }[]
    >`select id::text as id from histories`;
    assert.equal(readFileSync(join(folder, "first", "kept", "owner"), "utf8"), `${history?.id}\n`);
  });

  it("is exactly one of two databases that claim a free storage at the same moment", async () => {
    for (let round = 0; round < 10; round++) {
      const owners = await ownersOf(`round ${round}`);
      await Promise.all(owners.map((owner) => owner.isOurs()));
      const ours = await Promise.all(owners.map((owner) => owner.isOurs()));
      assert.equal(ours.filter(Boolean).length, 1);
    }
  });

  it("stops being this database after a restore, until the database adopts it", async () => {
    const [owner] = await ownersOf("renewed");
    assert.equal(await owner.isOurs(), true);
    await here.database.sql`update histories set id = gen_random_uuid()`;
    assert.equal(await owner.isOurs(), false);
    await owner.adopt();
    assert.equal(await owner.isOurs(), true);
  });
});
