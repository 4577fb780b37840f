// Tests only this storage; storage.test.ts tests what all storages have in common.
import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { createLocalStorage } from "../../src/photos/local-storage.js";
import type { Storage } from "../../src/photos/storage.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";

describe("the local storage", () => {
  const folder = temporaryFolder().path;
  let storage: Storage;
  let created = 0;
  before(async () => {
    storage = await createLocalStorage(folder);
  });

  function scratch(content: string): string {
    const path = join(storage.scratchFolder, String(++created));
    writeFileSync(path, content);
    return path;
  }

  it("is not readable for other users of this machine", async () => {
    await storage.put("photos/ann/1", scratch("content"));
    const kept = (await storage.localPath("photos/ann/1", storage.scratchFolder)) ?? assert.fail();
    for (const path of [storage.scratchFolder, dirname(kept)])
      assert.equal(statSync(path).mode & 0o077, 0, path);
  });

  it("returns the stored file itself, and copies by sharing its bytes", async () => {
    await storage.put("photos/ann/2", scratch("content"));
    await storage.copy("photos/ann/2", "photos/ann/3");
    const [one, other] = await Promise.all(
      ["photos/ann/2", "photos/ann/3"].map((key) => storage.localPath(key, "/nowhere")),
    );
    assert.equal(statSync(one ?? "").ino, statSync(other ?? "").ino);
  });

  it("has no direct URLs", async () => {
    assert.equal(
      await storage.presign("photos/ann/1", { mimeType: "image/png", filename: "a.png" }),
      null,
    );
  });

  it("reports that it cannot store files", async () => {
    await storage.put("a-file", scratch("x"));
    const refused = {
      name: "ServiceUnavailableError",
      message: "The storage accepts no files at the moment; try again later.",
    };
    await assert.rejects(storage.put("a-file/below", scratch("y")), refused);
    await assert.rejects(storage.copy("photos/ann/1", "a-file/below"), refused);
    await assert.rejects(
      storage.put("b", join(storage.scratchFolder, "not-there")),
      ServiceUnavailableError,
    );
  });
});
