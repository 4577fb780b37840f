import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFileUrls } from "../../../src/photos/file-urls.js";
import { photoUrl, previewUrl } from "../../../src/services/photos/photo-urls.js";

const fileUrls = createFileUrls({
  signingKey: "k".repeat(32),
  publicUrl: null,
  storage: { presign: async () => null },
});
const photo = {
  id: "0198f3a0-0000-7000-8000-00000000000a",
  userId: "u",
  filename: "Ü 1/2.jpg",
  mimeType: "image/jpeg",
  width: 1,
  height: 1,
  byteSize: 1,
  sha256: "",
  storageKey: "secret/key",
  previewKey: "secret/preview",
  thumbhash: null,
  phash: null,
  previewAttempts: 0,
  madeBy: null,
  renditions: [],
  renditionError: null,
  createdAt: new Date(),
};

describe("the URLs of a photo", () => {
  it("lead to the bytes and the preview, signed, without showing a storage key", async () => {
    for (const [signed, path] of [
      [await photoUrl(fileUrls, photo), `/files/photos/${photo.id}/%C3%9C%201%2F2.jpg`],
      [(await previewUrl(fileUrls, photo)) ?? "", `/files/previews/${photo.id}/preview.webp`],
    ] as const) {
      const { pathname, searchParams } = new URL(signed, "http://api.test");
      assert.equal(pathname, path);
      assert.ok(
        fileUrls.verify(pathname, searchParams.get("exp") ?? "", searchParams.get("sig") ?? ""),
      );
      assert.ok(!signed.includes("secret"));
    }
  });

  it("have no preview when none could be made", async () =>
    assert.equal(await previewUrl(fileUrls, { ...photo, previewKey: null }), null));
});
