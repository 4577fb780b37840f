import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createFileUrls } from "../../../src/photos/file-urls.js";
import { noise } from "../../imaging/noise.js";
import { OPERATOR_PASSWORD, scrape } from "../../support/clients/scrape.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const KEY = "the-key-of-this-test-0123456789abcdef";
const PHOTO = `query ($id: ID!, $width: Int = 100) { photo(id: $id) {
  webp: image(width: $width) avif: image(width: $width, format: AVIF)
  jpeg: image(width: $width, format: JPEG) srcset small: srcset(format: JPEG, maxWidth: 130) } }`;

describe("an image of a photo", () => {
  let service: TestService;
  let owner: TestClient;
  let id: string;
  let image: { webp: string; avif: string; jpeg: string; srcset: string; small: string };
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: { FILE_SIGNING_KEY: KEY, ADMIN_PASSWORD: OPERATOR_PASSWORD },
    });
    owner = await service.person();
    id = await uploadNoise(1);
    image = (await owner.get(PHOTO, { id })).photo;
  });
  after(() => service.close());

  async function uploadNoise(seed: number): Promise<string> {
    const bytes = await noise(300, 200, seed).jpeg().toBuffer();
    return String((await owner.upload(bytes)).json["id"]);
  }
  const fetchFile = (url: string, init: RequestInit = {}) => fetch(new URL(url, service.url), init);
  const counted = async (outcome: string) =>
    (await scrape(service.url)).value("photos_images_total", { outcome });

  it("has a URL for each format, and a srcset up to its own width", () => {
    const path = `/files/images/${id}`;
    const paths = [image.webp, image.avif, image.jpeg].map((url) => url.split("?", 1)[0]);
    assert.deepEqual(paths, [`${path}/128.webp`, `${path}/128.avif`, `${path}/128.jpg`]);
    const entries = (srcset: string) =>
      srcset.split(", ").map((entry) => entry.replace(/\?\S+/, "").replace(path, ""));
    const webp = ["/64.webp 64w", "/128.webp 128w", "/256.webp 256w", "/300.webp 300w"];
    assert.deepEqual(entries(image.srcset), webp);
    assert.deepEqual(entries(image.small), ["/64.jpg 64w", "/128.jpg 128w"]);
  });

  it("is public, immutable and long-lived, with an ETag", async () => {
    for (const [url, type] of [
      [image.webp, "image/webp"],
      [image.avif, "image/avif"],
      [image.jpeg, "image/jpeg"],
    ] as const) {
      const response = await fetchFile(url);
      assert.deepEqual([response.status, response.headers.get("content-type")], [200, type]);
      const { headers } = response;
      const bytes = await response.arrayBuffer();
      assert.equal(headers.get("content-length"), String(bytes.byteLength));
      const [, seconds] = /^public, max-age=(\d+), immutable$/.exec(
        headers.get("cache-control") ?? "",
      ) ?? [""];
      assert.ok(Number(seconds) > 86_000 && Number(seconds) <= 129_600, String(seconds));
      assert.equal(headers.get("set-cookie"), null);
      assert.equal(headers.get("content-security-policy"), "sandbox; default-src 'none'");
      const etag = headers.get("etag") ?? "";
      for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
        const again = await fetchFile(url, { headers: { "if-none-match": tag } });
        assert.deepEqual([again.status, await again.text()], [304, ""]);
        assert.equal(again.headers.get("etag"), etag);
      }
      const head = await fetchFile(url, { method: "HEAD" });
      assert.equal(head.headers.get("content-length"), String(bytes.byteLength));
    }
  });

  it("is decoded once for a thousand simultaneous first requests", async () => {
    const already = await counted("made");
    const { photo } = await owner.get(PHOTO, { id: await uploadNoise(2) });
    const statuses = await Promise.all(
      Array.from({ length: 1000 }, async () => {
        const response = await fetchFile(photo.webp);
        await response.arrayBuffer();
        return response.status;
      }),
    );
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal((await counted("made")) - already, 1);
  });

  it("is refused with 403 for an altered URL, without a decode", async () => {
    const already = await counted("made");
    const { photo } = await owner.get(PHOTO, { id: await uploadNoise(3) });
    const url: string = photo.webp;
    const expiry = /exp=(\d+)/.exec(url)?.[1] ?? "";
    for (const altered of [
      url.replace("128.webp", "64.webp"),
      url.replace("128.webp", "128.jpg"),
      url.replace("128.webp", "4000.webp"),
      url.replace(/images/, "photos"),
      url.replace(expiry, String(Number(expiry) + 1)),
      url.replace(/sig=./, "sig=-"),
      url.replace(/&sig=.*/, ""),
      url.replace("128.webp", "%31%32%38.webp"),
      url.replace(/\?.*/, ""),
    ]) {
      const response = await fetchFile(altered);
      assert.deepEqual(
        [response.status, await response.json()],
        [
          403,
          {
            code: "FORBIDDEN",
            message: "The URL is not signed or has expired: request a new one.",
          },
        ],
        altered,
      );
      assert.doesNotMatch(response.headers.get("cache-control") ?? "", /public|immutable/);
    }
    assert.equal(await counted("made"), already);
  });

  it("does not exist at other widths, even if they are signed", async () => {
    const urls = createFileUrls({
      signingKey: KEY,
      publicUrl: null,
      storage: { presign: async () => null },
    });
    for (const name of ["65.webp", "128.png", "512.webp", "x", "\0"])
      assert.equal((await fetchFile(urls.sign("images", id, name))).status, 404, name);
    assert.equal((await fetchFile(urls.sign("images", "x", "64.webp"))).status, 404);
  });

  it("answers 422 with the reason when the photo cannot be decoded", async () => {
    const cut = (await noise(300, 300, 4).png().toBuffer()).subarray(0, 5000);
    const { json } = await owner.upload(cut);
    const { photo } = await owner.get(PHOTO, { id: json["id"] });
    for (const url of [photo.webp, photo.jpeg]) {
      const response = await fetchFile(url);
      const body = (await response.json()) as { code: string; message: string };
      assert.deepEqual([response.status, body.code], [422, "PHOTO_UNREADABLE"]);
      assert.match(body.message, /^The photo is damaged or cut off/);
    }
    assert.ok((await counted("unreadable")) >= 2);
  });

  it("is gone with its photo", async () => {
    const photoId = await uploadNoise(5);
    const { photo } = await owner.get(PHOTO, { id: photoId });
    assert.equal((await fetchFile(photo.webp)).status, 200);
    await owner.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: photoId });
    for (const url of [photo.webp, photo.avif]) assert.equal((await fetchFile(url)).status, 404);
  });

  it("is WebP when the format is null", async () => {
    const query = `query ($id: ID!) { photo(id: $id) {
      image(width: 1, format: null) srcset(format: null, maxWidth: 1) } }`;
    const { photo } = await owner.get(query, { id });
    for (const text of [photo.image, photo.srcset]) assert.match(text, /\/64\.webp\?/);
  });

  it("refuses a width below 1", async () => {
    for (const [field, name] of [
      ["image(width: 0)", "width"],
      ["image(width: -5)", "width"],
      ["srcset(maxWidth: 0)", "maxWidth"],
    ] as const) {
      const query = `query ($id: ID!) { photo(id: $id) { ${field} } }`;
      const { errors } = await owner.ask(query, { id });
      assert.equal(errors?.[0]?.extensions.code, "BAD_USER_INPUT");
      assert.deepEqual(errors[0].extensions.issues?.[0]?.path, [name]);
    }
  });
});
