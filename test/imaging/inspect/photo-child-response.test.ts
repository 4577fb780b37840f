import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  parsePhotoChildResponse,
  sizeOfPlainFile,
} from "../../../src/imaging/inspect/photo-child-response.js";
import { temporaryFolder } from "../temporary-folder.js";

const header = {
  format: "png",
  mimeType: "image/png",
  width: 3,
  height: 2,
  pages: 1,
  orientation: 1,
  facts: {
    takenAt: "2024-05-06T07:08:09",
    takenAtOffset: "+02:00",
    location: { latitude: -41.5, longitude: 174, altitude: null },
    camera: "Canon EOS 5D",
    lens: null,
    orientation: 8,
  },
};
const preview = {
  width: 3,
  height: 2,
  byteSize: 9,
  thumbhash: "1QcSHQRnh493V4dIh4eXh1h4kJUI",
  phash: null,
};

describe("the answer of a photo child", () => {
  it("is accepted unchanged when it is valid", () => {
    for (const answer of [header, { ...header, facts: null }])
      assert.deepEqual(parsePhotoChildResponse("probe", answer), answer);
    assert.deepEqual(parsePhotoChildResponse("preview", preview), preview);
  });

  const invalidAnswers: [kind: "probe" | "preview", change: Record<string, unknown>][] = [
    ["probe", { format: "svg" }],
    ["probe", { mimeType: "text/html" }],
    ["probe", { mimeType: "image/jpeg" }],
    ["probe", { width: -1 }],
    ["probe", { height: 0.5 }],
    ["probe", { pages: 0 }],
    ["probe", { orientation: 9 }],
    ["probe", { facts: undefined }],
    ["probe", { facts: { ...header.facts, takenAt: "2024-05-06T07:08:09Z" } }],
    ["probe", { facts: { ...header.facts, takenAtOffset: "02:00" } }],
    ["probe", { facts: { ...header.facts, location: { latitude: 91, longitude: 0 } } }],
    ["probe", { facts: { ...header.facts, camera: "x".repeat(201) } }],
    ["preview", { width: 0 }],
    ["preview", { thumbhash: "<script>" }],
    ["preview", { thumbhash: "A".repeat(104) }],
    ["preview", { phash: "0" }],
  ];
  for (const [kind, change] of invalidAnswers) {
    it(`is rejected with ${JSON.stringify(change)}`, () => {
      assert.throws(
        () =>
          parsePhotoChildResponse(kind, { ...(kind === "probe" ? header : preview), ...change }),
        { name: "ZodError" },
      );
    });
  }

  it("gets its file size from the file, and a symbolic link is rejected", async () => {
    const temporary = temporaryFolder();
    const path = temporary.write("five!");
    assert.equal(await sizeOfPlainFile(path), 5);
    const link = join(temporary.path, "link");
    symlinkSync(path, link);
    await assert.rejects(sizeOfPlainFile(link), /is not a regular file/);
  });
});
