import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkDiskSpace, PhotoFiles } from "../../../src/worker/child/photo-files.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";

const PHOTOS = Array.from({ length: 10 }, (_, index) => `photo ${index}`);

function filesIn(fetch?: (photo: string, folder: string) => Promise<string>) {
  const folder = temporaryFolder().path;
  const fetched: string[] = [];
  const copy = async (photo: string, into: string): Promise<string> => {
    fetched.push(photo);
    await writeFile(join(into, photo), photo);
    return join(into, photo);
  };
  const files = new PhotoFiles(PHOTOS, fetch ?? copy, folder);
  const kept = () => readdirSync(join(folder, ".photos"), { recursive: true, encoding: "utf8" });
  return { folder, files, fetched, kept: () => kept().filter((path) => path.includes("photo")) };
}

describe("photos that are fetched one by one", () => {
  it("are fetched a few ahead, each once, and removed when the next one is read", async () => {
    const { files, fetched, kept } = filesIn();
    for (const [index, photo] of PHOTOS.entries()) {
      assert.ok((await files.open(index)).endsWith(photo));
      await files.close();
      const onDisk = PHOTOS.slice(index, index + 4);
      assert.deepEqual(
        kept().toSorted(),
        onDisk.map((one, i) => `${index + i}/${one}`),
      );
    }
    // Photos that are fetched at the same time arrive in any order.
    assert.deepEqual(fetched.toSorted(), PHOTOS);
  });

  it("may be read again and in any order", async () => {
    const { files, kept } = filesIn();
    for (const index of [5, 5, 2, 9]) assert.ok(existsSync(await files.open(index)));
    assert.deepEqual(kept(), ["9/photo 9"]);
    await assert.rejects(files.open(10), { message: "The task has no photo 10." });
    await files.close();
  });

  it("report the reason why one could not be fetched, once it is read", async () => {
    const reason = new Error("away");
    const { files } = filesIn(async (photo, into) => {
      if (photo === "photo 2") throw reason;
      return join(into, photo);
    });
    await files.open(0);
    await files.close();
    assert.equal(files.fault, null);
    await assert.rejects(files.open(2), reason);
    assert.equal(files.fault, reason);
    await files.close();
  });
});

describe("the disk", () => {
  it("must have room for the files twice", async () => {
    const { folder } = filesIn();
    await checkDiskSpace(folder, 1000);
    await assert.rejects(checkDiskSpace(folder, 2 ** 60), {
      name: "TaskFailedError",
      message:
        "The worker has too little disk space for the files of this QueuedJob; try again later.",
    });
  });
});
