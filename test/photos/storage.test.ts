// Tests what all storages have in common, on each kind.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { createLocalStorage } from "../../src/photos/local-storage.js";
import { createS3Storage } from "../../src/photos/s3-storage.js";
import type { Storage } from "../../src/photos/storage.js";
import { inBatches } from "../../src/runtime/concurrency.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { startS3Server, type S3Server } from "../support/stores/s3-server.js";
import { silentLog } from "../support/runner/silent-log.js";

const folder = temporaryFolder().path;
let server: S3Server;
before(async () => {
  server = await startS3Server();
});
after(() => server.close());

/** Each call opens the same storage again; `name` distinguishes several storages of a kind. */
const KINDS: { kind: string; manyKeys: number; open: (name: string) => Promise<Storage> }[] = [
  {
    kind: "the local storage",
    manyKeys: 50,
    open: (name) => createLocalStorage(join(folder, "local", name)),
  },
  {
    kind: "the S3 storage",
    // A page of its listing has a thousand keys.
    manyKeys: 1100,
    open: (name) =>
      createS3Storage({
        bucket: server.bucket,
        prefix: `${name}/`,
        region: "us-east-1",
        endpoint: server.endpoint,
        accessKeyId: "id",
        secretAccessKey: "secret",
        scratchFolder: join(folder, "s3", name),
        log: silentLog,
      }),
  },
];

for (const { kind, manyKeys, open } of KINDS) {
  describe(kind, () => {
    let storage: Storage;
    before(async () => {
      storage = await open("one");
    });

    function scratch(content: string | Uint8Array, target = storage): string {
      const path = join(target.scratchFolder, randomUUID());
      writeFileSync(path, content);
      return path;
    }

    async function read(key: string, from = storage): Promise<string | null> {
      return (await from.read(key))?.toString() ?? null;
    }

    async function keysOf(target: Storage): Promise<string[]> {
      const keys: string[] = [];
      for await (const { key } of target.list()) keys.push(key);
      return keys.toSorted();
    }

    it("moves a file into the storage under its key", async () => {
      const path = scratch("content");
      await storage.put("photos/ann/1", path);
      assert.equal(existsSync(path), false);
      assert.deepEqual(
        [await read("photos/ann/1"), await storage.has("photos/ann/1")],
        ["content", true],
      );
    });

    it("returns every byte of a large file, and accepts any character in a key", async () => {
      const bytes = randomBytes(3_000_000);
      const key = "outputs/a/b/1/Ü (1) 50%+'*!.webp";
      await storage.put(key, scratch(bytes));
      assert.ok(bytes.equals((await storage.read(key)) ?? assert.fail()));
      assert.ok((await keysOf(storage)).includes(key));
      await storage.delete([key]);
      assert.equal(await storage.has(key), false);
    });

    it("returns a local file, and leaves nothing outside the caller's folder", async () => {
      await storage.put("local", scratch("local bytes"));
      const attemptFolder = join(storage.scratchFolder, "attempt");
      mkdirSync(attemptFolder);
      const filesBefore = readdirSync(storage.scratchFolder);
      const path = (await storage.localPath("local", attemptFolder)) ?? assert.fail();
      assert.equal(readFileSync(path, "utf8"), "local bytes");
      assert.equal(statSync(path).mode & 0o022, 0, "other users may write to it");
      assert.deepEqual(readdirSync(storage.scratchFolder), filesBefore);
      assert.equal(await storage.localPath("not-there", attemptFolder), null);
    });

    it("has no bytes under a key that was never stored or was deleted", async () => {
      await storage.put("gone", scratch("x"));
      await storage.delete(["gone", "never-there", "no/such/folder"]);
      for (const key of ["gone", "never-there", "no/such/folder"])
        assert.deepEqual(
          [await read(key), await storage.has(key), await storage.copy(key, "copy-of-nothing")],
          [null, false, false],
          key,
        );
      assert.equal(await storage.has("copy-of-nothing"), false);
    });

    it("deletes many keys at once, and no others", async () => {
      const many = await open("many");
      await many.put("first", scratch("x", many));
      const keys = Array.from({ length: 40 }, (_, i) => `photos/${i}`);
      await inBatches(keys, 50, (key) => many.copy("first", key));
      await many.delete(keys);
      assert.deepEqual(await keysOf(many), ["first"]);
    });

    it("copies files that can be deleted independently", async () => {
      for (const gone of ["from", "to"] as const) {
        const keys = { from: `outputs/${gone}/from (1)`, to: `outputs/${gone}/deep/er/to` };
        await storage.put(keys.from, scratch("shared"));
        assert.equal(await storage.copy(keys.from, keys.to), true);
        await storage.delete([keys[gone]]);
        assert.equal(await read(keys[gone === "from" ? "to" : "from"]), "shared");
        assert.equal(await storage.has(keys[gone]), false);
      }
    });

    it("gives a copy the current time, however old its source is", async () => {
      await storage.put("old", scratch("x"));
      const path = await storage.localPath("old", storage.scratchFolder);
      if (path) utimesSync(path, 0, 0);
      await storage.copy("old", "young");
      for await (const { key, modifiedAt } of storage.list())
        if (key === "young")
          assert.ok(Date.now() - modifiedAt.getTime() < 60_000, String(modifiedAt));
    });

    it("keeps its files when it is opened again", async () => {
      await storage.put("kept", scratch("still here"));
      assert.equal(await read("kept", await open("one")), "still here");
    });

    it("lists its files with key and time, and none of another storage", async () => {
      const other = await open("another");
      await other.put("photos/bob/1", scratch("x", other));
      const listed = [];
      for await (const entry of other.list()) listed.push(entry);
      assert.deepEqual(
        listed.map(({ key }) => key),
        ["photos/bob/1"],
      );
      assert.ok(Math.abs(Date.now() - (listed[0]?.modifiedAt.getTime() ?? 0)) < 60_000);
    });

    it("lists more files than fit into a page", async () => {
      const large = await open("large");
      await large.put("0", scratch("x", large));
      const keys = Array.from({ length: manyKeys }, (_, i) => `photos/${i}&<"'>`);
      await inBatches(keys, 100, (key) => large.copy("0", key));
      assert.deepEqual(await keysOf(large), ["0", ...keys].toSorted());
    });

    it("removes only old files and folders from its scratch folder", async () => {
      const other = await open("scratch");
      for (const name of ["old", "young"]) writeFileSync(join(other.scratchFolder, name), "x");
      mkdirSync(join(other.scratchFolder, "old-folder"));
      writeFileSync(join(other.scratchFolder, "old-folder", "in"), "x");
      for (const name of ["old", "old-folder"]) utimesSync(join(other.scratchFolder, name), 0, 0);
      assert.equal(await other.clearScratch(new Date(Date.now() - 60_000)), 2);
      assert.deepEqual(readdirSync(other.scratchFolder), ["young"]);
      assert.equal(
        statSync(other.scratchFolder).mode & 0o077,
        0,
        "other users of this machine may read it",
      );
    });

    it("throws SERVICE_UNAVAILABLE if the file to store is missing", async () => {
      await assert.rejects(
        storage.put("b", join(storage.scratchFolder, "not-there")),
        ServiceUnavailableError,
      );
      assert.equal(await storage.has("b"), false);
    });
  });
}
