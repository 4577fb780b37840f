import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { buffer } from "node:stream/consumers";
import { ServiceUnavailableError } from "../../src/errors.js";
import { createLocalStorage } from "../../src/photos/local-storage.js";
import type { Storage } from "../../src/photos/storage.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";

describe("the local storage", () => {
  const folder = temporaryFolder().path;
  let storage: Storage;
  let made = 0;
  before(async () => {
    storage = await createLocalStorage(folder);
  });

  function scratch(content: string): string {
    const path = join(storage.scratchFolder, String(++made));
    writeFileSync(path, content);
    return path;
  }

  async function read(key: string, range?: { start: number; end: number }, from = storage): Promise<string | null> {
    const stream = await from.read(key, range);
    return stream && (await buffer(stream)).toString();
  }

  it("takes a file over under its key, and lets nobody else of this machine look", async () => {
    const path = scratch("content");
    await storage.put("photos/ann/1", path);
    assert.equal(existsSync(path), false);
    assert.equal(await read("photos/ann/1"), "content");
    const kept = await storage.localPath("photos/ann/1");
    assert.equal(readFileSync(kept ?? "", "utf8"), "content");
    for (const path_ of [storage.scratchFolder, join(kept ?? "", "..")]) assert.equal(statSync(path_).mode & 0o077, 0, path_);
  });

  it("gives a part of a file", async () => {
    await storage.put("part", scratch("0123456789"));
    assert.equal(await read("part", { start: 2, end: 4 }), "234");
    assert.equal(await read("part", { start: 9, end: 99 }), "9");
  });

  it("has nothing under a key that was never put, or was deleted", async () => {
    await storage.put("gone", scratch("x"));
    await storage.delete(["gone", "never-there", "no/such/folder"]);
    for (const key of ["gone", "never-there", "no/such/folder"]) {
      assert.equal(await read(key), null);
      assert.equal(await storage.localPath(key), null);
    }
  });

  it("keeps what it has when it is opened again", async () => {
    await storage.put("kept", scratch("still here"));
    const again = await createLocalStorage(folder);
    assert.equal(await read("kept", undefined, again), "still here");
  });

  it("says that it takes nothing when it cannot", async () => {
    await storage.put("a-file", scratch("x"));
    await assert.rejects(storage.put("a-file/below", scratch("y")), (error) => error instanceof ServiceUnavailableError && error.message === "The storage takes nothing at the moment; try again later.");
    await assert.rejects(storage.put("b", join(storage.scratchFolder, "not-there")), ServiceUnavailableError);
  });

  it("lists what it has, by key, and when it came", async () => {
    const own = await createLocalStorage(join(folder, "another"));
    const path = join(own.scratchFolder, "1");
    writeFileSync(path, "x");
    await own.put("photos/bob/1", path);
    const listed = [];
    for await (const entry of own.list()) listed.push(entry);
    assert.deepEqual(listed.map(({ key }) => key), ["photos/bob/1"]);
    assert.ok(Math.abs(Date.now() - (listed[0]?.modifiedAt.getTime() ?? 0)) < 60_000);
  });
});
