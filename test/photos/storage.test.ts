// What every storage keeps to, asked of each kind.
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
import { buffer } from "node:stream/consumers";
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

/** Each time it is called it opens the same one again; `name` tells several of a kind apart. */
const KINDS: { kind: string; manyKeys: number; open: (name: string) => Promise<Storage> }[] = [
  {
    kind: "the local storage",
    manyKeys: 50,
    open: (name) => createLocalStorage(join(folder, "local", name)),
  },
  {
    kind: "the S3 storage",
    // A page of its listing has a thousand.
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

    function scratch(content: string | Uint8Array, own = storage): string {
      const path = join(own.scratchFolder, randomUUID());
      writeFileSync(path, content);
      return path;
    }

    async function read(
      key: string,
      range?: { start: number; end: number },
      from = storage,
    ): Promise<string | null> {
      const stream = await from.read(key, range);
      return stream && (await buffer(stream)).toString();
    }

    async function keysOf(own: Storage): Promise<string[]> {
      const keys: string[] = [];
      for await (const { key } of own.list()) keys.push(key);
      return keys.toSorted();
    }

    it("takes a file over under its key", async () => {
      const path = scratch("content");
      await storage.put("photos/ann/1", path);
      assert.equal(existsSync(path), false);
      assert.deepEqual(
        [await read("photos/ann/1"), await storage.has("photos/ann/1")],
        ["content", true],
      );
    });

    it(
      "gives every byte of a large file back as it came, and a name with whatever a path " +
        "may hold",
      async () => {
        const bytes = randomBytes(3_000_000);
        const key = "outputs/a/b/1/Ü (1) 50%+'*!.webp";
        await storage.put(key, scratch(bytes));
        assert.ok(bytes.equals(await buffer((await storage.read(key)) ?? assert.fail())));
        assert.ok((await keysOf(storage)).includes(key));
        await storage.delete([key]);
        assert.equal(await storage.has(key), false);
      },
    );

    it("gives a part of a file", async () => {
      await storage.put("part", scratch("0123456789"));
      assert.equal(await read("part", { start: 2, end: 4 }), "234");
      assert.equal(await read("part", { start: 9, end: 99 }), "9");
    });

    it("gives a local file with the bytes, and leaves nothing outside the caller's folder", async () => {
      await storage.put("local", scratch("local bytes"));
      const own = join(storage.scratchFolder, "attempt");
      mkdirSync(own);
      const before_ = readdirSync(storage.scratchFolder);
      const path = (await storage.localPath("local", own)) ?? assert.fail();
      assert.equal(readFileSync(path, "utf8"), "local bytes");
      assert.equal(statSync(path).mode & 0o022, 0, "others may write to it");
      assert.deepEqual(readdirSync(storage.scratchFolder), before_);
      assert.equal(await storage.localPath("not-there", own), null);
    });

    it("has nothing under a key that was never put, or was deleted", async () => {
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

    it("deletes many at once, and nothing else", async () => {
      const many = await open("many");
      await many.put("first", scratch("x", many));
      const keys = Array.from({ length: 40 }, (_, i) => `photos/${i}`);
      await inBatches(keys, 50, (key) => many.copy("first", key));
      await many.delete(keys);
      assert.deepEqual(await keysOf(many), ["first"]);
    });

    it("copies, so that deleting one leaves the other", async () => {
      for (const gone of ["from", "to"] as const) {
        const keys = { from: `outputs/${gone}/from (1)`, to: `outputs/${gone}/deep/er/to` };
        await storage.put(keys.from, scratch("shared"));
        assert.equal(await storage.copy(keys.from, keys.to), true);
        await storage.delete([keys[gone]]);
        assert.equal(await read(keys[gone === "from" ? "to" : "from"]), "shared");
        assert.equal(await storage.has(keys[gone]), false);
      }
    });

    it("tells of a copy that it came now, however old its source is", async () => {
      await storage.put("old", scratch("x"));
      const path = await storage.localPath("old", storage.scratchFolder);
      if (path) utimesSync(path, 0, 0);
      await storage.copy("old", "young");
      for await (const { key, modifiedAt } of storage.list())
        if (key === "young")
          assert.ok(Date.now() - modifiedAt.getTime() < 60_000, String(modifiedAt));
    });

    it("keeps what it has when it is opened again", async () => {
      await storage.put("kept", scratch("still here"));
      assert.equal(await read("kept", undefined, await open("one")), "still here");
    });

    it("lists what it has, by key, and when it came, and nothing of another one", async () => {
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

    it("lists more than comes at a time", async () => {
      const crowd = await open("crowd");
      await crowd.put("0", scratch("x", crowd));
      const keys = Array.from({ length: manyKeys }, (_, i) => `photos/${i}&<"'>`);
      await inBatches(keys, 100, (key) => crowd.copy("0", key));
      assert.deepEqual(await keysOf(crowd), ["0", ...keys].toSorted());
    });

    it("clears from its scratch folder what is old, a file or a folder, and nothing else", async () => {
      const own = await open("scratch");
      for (const name of ["old", "young"]) writeFileSync(join(own.scratchFolder, name), "x");
      mkdirSync(join(own.scratchFolder, "old-folder"));
      writeFileSync(join(own.scratchFolder, "old-folder", "in"), "x");
      for (const name of ["old", "old-folder"]) utimesSync(join(own.scratchFolder, name), 0, 0);
      assert.equal(await own.clearScratch(new Date(Date.now() - 60_000)), 2);
      assert.deepEqual(readdirSync(own.scratchFolder), ["young"]);
      assert.equal(statSync(own.scratchFolder).mode & 0o077, 0, "others of this machine may look");
    });

    it("says that it is away when there is nothing to take over", async () => {
      await assert.rejects(
        storage.put("b", join(storage.scratchFolder, "not-there")),
        ServiceUnavailableError,
      );
      assert.equal(await storage.has("b"), false);
    });
  });
}
