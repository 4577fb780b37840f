import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { createFileUrls } from "../../../src/photos/file-urls.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import type { TestClient } from "../../support/clients/test-client.js";

const KEY = "the-key-of-this-test-0123456789abcdef";
const kept = { presign: async () => null };
const REFUSED = {
  code: "FORBIDDEN",
  message: "The URL is not signed or has expired: request a new one.",
};
const GONE = { code: "NOT_FOUND", message: "The file does not exist; it was deleted." };

describe("a signed file", () => {
  const bytes = smallPhoto(30, 30);
  let service: TestService;
  let owner: TestClient;
  let photo: { id: string; url: string; previewUrl: string };
  before(async () => {
    service = await startTestService({
      env: { FILE_SIGNING_KEY: KEY, ALLOWED_ORIGINS: "https://app.example.test" },
    });
    owner = await service.person();
    photo = (await owner.upload(bytes, { type: "image/png", filename: "Küste (1) 'x'.png" }))
      .json as unknown as typeof photo;
  });
  after(() => service.close());

  const fetchFile = (url: string, init: RequestInit = {}) => fetch(new URL(url, service.url), init);
  async function assertAnswer(url: string, status: number, body: object): Promise<void> {
    const response = await fetchFile(url);
    assert.deepEqual([response.status, await response.json()], [status, body], url);
  }
  const part = (url: string, name: "exp" | "sig") =>
    new URL(url, service.url).searchParams.get(name) ?? "";
  const pathOf = (url: string) => url.split("?", 1)[0] ?? "";

  it("is served by its URL alone, with headers that prevent running it", async () => {
    const response = await fetchFile(photo.url);
    assert.equal(response.status, 200);
    assert.ok(bytes.equals(Buffer.from(await response.arrayBuffer())));
    const expected = {
      "content-type": "image/png",
      "content-length": String(bytes.length),
      "cache-control": "private, max-age=900",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "cross-origin",
      "referrer-policy": "no-referrer",
      "accept-ranges": "bytes",
      "content-disposition": "inline; filename*=UTF-8''K%C3%BCste%20%281%29%20%27x%27.png",
    };
    for (const [name, value] of Object.entries(expected))
      assert.equal(response.headers.get(name), value, name);
    assert.equal(
      (await fetchFile(photo.url, { method: "HEAD" })).headers.get("content-length"),
      String(bytes.length),
    );
    assert.equal(
      (await fetchFile(photo.url, { headers: { origin: "https://app.example.test" } })).headers.get(
        "access-control-allow-origin",
      ),
      "https://app.example.test",
    );
  });

  it("has an ETag for conditional requests", async () => {
    const etag = (await fetchFile(photo.url)).headers.get("etag") ?? "";
    assert.match(etag, /^(W\/)?".+"$/);
    for (const headers of [
      { "if-none-match": etag },
      { "if-none-match": etag, "cache-control": "no-cache" },
      { "if-none-match": `"other", ${etag}` },
    ]) {
      const response = await fetchFile(photo.url, { headers });
      assert.deepEqual(
        [response.status, await response.text()],
        [304, ""],
        JSON.stringify(headers),
      );
    }
    assert.equal(
      (await fetchFile(photo.url, { headers: { "if-none-match": '"other"' } })).status,
      200,
    );
  });

  it("is served in ranges", async () => {
    const cases: [string, number, Buffer | null, string | null][] = [
      ["bytes=0-9", 206, bytes.subarray(0, 10), `bytes 0-9/${bytes.length}`],
      ["bytes=10-", 206, bytes.subarray(10), `bytes 10-${bytes.length - 1}/${bytes.length}`],
      [
        "bytes=-5",
        206,
        bytes.subarray(-5),
        `bytes ${bytes.length - 5}-${bytes.length - 1}/${bytes.length}`,
      ],
      [`bytes=${bytes.length}-`, 416, null, `bytes */${bytes.length}`],
      ["lines=1-2", 200, bytes, null],
    ];
    for (const [range, status, expected, contentRange] of cases) {
      const response = await fetchFile(photo.url, { headers: { range } });
      const got = Buffer.from(await response.arrayBuffer());
      assert.deepEqual(
        [response.status, response.headers.get("content-range")],
        [status, contentRange],
        range,
      );
      if (expected) assert.ok(expected.equals(got), range);
    }
  });

  it("is refused with another path, expiry, signature or spelling", async () => {
    const [path, exp, sig] = [pathOf(photo.url), part(photo.url, "exp"), part(photo.url, "sig")];
    const other = (await owner.upload(smallPhoto(), { type: "image/png" }))
      .json as unknown as typeof photo;
    const last = sig.at(-1) ?? "";
    const twin = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      .split("")
      .find(
        (char) =>
          char !== last &&
          Buffer.from(sig.slice(0, -1) + char, "base64url").equals(Buffer.from(sig, "base64url")),
      );
    assert.ok(twin, "the signature has a second spelling");
    const urls = [
      path,
      `${path}?exp=${exp}`,
      `${path}?sig=${sig}`,
      `${path}?exp=${Number(exp) + 900}&sig=${sig}`,
      `${path}?exp=${exp}&sig=${sig.slice(0, -1)}${twin}`,
      `${path}?exp=${exp}&sig=${sig}=`,
      `${path}?exp=${exp}&sig=${"A".repeat(43)}`,
      `${path}?exp=0${exp}&sig=${sig}`,
      `${path}?exp=${exp}.0&sig=${sig}`,
      `${path}?exp=${exp}&sig=${sig}&sig=${sig}`,
      `${path}?exp[]=${exp}&sig=${sig}`,
      `${pathOf(other.url)}?exp=${exp}&sig=${sig}`,
      `${pathOf(photo.previewUrl)}?exp=${exp}&sig=${sig}`,
      `${path.replace("%C3", "%c3")}?exp=${exp}&sig=${sig}`,
      `${path}x?exp=${exp}&sig=${sig}`,
      `${path.replace("/photos/", "/%70hotos/")}?exp=${exp}&sig=${sig}`,
      createFileUrls({
        signingKey: KEY,
        publicUrl: null,
        storage: kept,
        now: () => Date.now() - 2 * 3_600_000,
      }).sign("photos", photo.id, "a.png"),
      createFileUrls({
        signingKey: "another-key-0123456789abcdef0123456789",
        publicUrl: null,
        storage: kept,
      }).sign("photos", photo.id, "a.png"),
    ];
    for (const url of urls) await assertAnswer(url, 403, REFUSED);
  });

  it("cannot be reached by a path traversal", async () => {
    for (const path of [
      "/files/photos/../../etc/passwd",
      "/files/..%2f..%2fetc/passwd/a",
      "/files/photos/%2e%2e/a",
      "//files/photos/1/a",
      "/files/photos/a%00/b",
    ]) {
      const status = await new Promise((resolve, reject) =>
        request(`${service.url}`, { path }, (response) =>
          resolve((response.resume(), response.statusCode)),
        )
          .on("error", reject)
          .end(),
      );
      assert.ok([400, 403, 404].includes(Number(status)), `${path} gave ${String(status)}`);
    }
  });

  it("is NOT_FOUND under the signed URL of an unknown id", async () => {
    const urls = createFileUrls({ signingKey: KEY, publicUrl: null, storage: kept });
    for (const kind of ["photos", "previews", "outputs"] as const)
      await assertAnswer(
        urls.sign(kind, "0198f3a0-0000-7000-8000-000000000000", "a.png"),
        404,
        GONE,
      );
  });

  it("can be a task's output, and disappears with its QueuedJob or Photo", async () => {
    const job = await owner.finished(
      (await owner.enqueue("thumbnail", { widths: [16] }, { photoIds: [photo.id] })).id,
      30_000,
    );
    const { queuedJob } = await owner.get(
      "query ($id: ID!) { queuedJob(id: $id) { outputs { url mimeType byteSize } } }",
      { id: job.id },
    );
    const [output] = queuedJob.outputs;
    const response = await fetchFile(output.url);
    assert.deepEqual(
      [
        response.status,
        response.headers.get("content-type"),
        (await response.arrayBuffer()).byteLength,
      ],
      [200, "image/webp", output.byteSize],
    );
    assert.equal((await fetchFile(photo.previewUrl)).headers.get("content-type"), "image/webp");

    await owner.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id: job.id });
    await assertAnswer(output.url, 404, GONE);
    await owner.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: photo.id });
    await assertAnswer(photo.url, 404, GONE);
    await assertAnswer(photo.previewUrl, 404, GONE);
  });
});

describe("a signed file whose row cannot be read", () => {
  it("is refused with 503 while PostgreSQL is unavailable, without a log line", async () => {
    const service = await startTestService({
      proxied: true,
      workers: 0,
      env: { FILE_SIGNING_KEY: KEY },
    });
    service.postgres.down();
    const url = createFileUrls({ signingKey: KEY, publicUrl: null, storage: kept }).sign(
      "photos",
      "0198f3a0-0000-7000-8000-000000000000",
      "a.png",
    );
    const answer = await fetch(service.url + url);
    assert.deepEqual(
      [
        answer.status,
        answer.headers.get("retry-after"),
        ((await answer.json()) as { code: string }).code,
      ],
      [503, "2", "SERVICE_UNAVAILABLE"],
    );
    assert.ok(!service.logged.some(({ msg }) => msg === "a request failed"));
    await service.close();
  });
});
