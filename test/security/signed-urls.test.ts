// A signed URL gives access to one file until it expires, and to nothing else.
// test/server/files/signed-files.test.ts covers the responses to valid URLs.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createFileUrls } from "../../src/photos/file-urls.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { head, sendRaw, type RawAnswer } from "./raw-request.js";

const KEY = "the-key-of-this-test-0123456789abcdef";
const OTHER_KEY = "another-key-0123456789abcdef0123456789";
const urlsOf = (signingKey: string, now?: () => number) =>
  createFileUrls({
    signingKey,
    publicUrl: null,
    storage: { presign: async () => null },
    ...(now && { now }),
  });

interface SignedUrl {
  path: string;
  exp: string;
  sig: string;
  /** Path of another photo of the same user. */
  other: string;
  preview: string;
}

/** Changes of a valid URL after which it must not return the file. */
const WIDENED: [what: string, url: (signed: SignedUrl) => string][] = [
  ["no signature", ({ path }) => path],
  ["no signature, but an expiry", ({ path, exp }) => `${path}?exp=${exp}`],
  ["a signature without an expiry", ({ path, sig }) => `${path}?sig=${sig}`],
  ["an empty signature", ({ path, exp }) => `${path}?exp=${exp}&sig=`],
  ["a later expiry", ({ path, exp, sig }) => `${path}?exp=${Number(exp) + 900}&sig=${sig}`],
  ["an expiry with a leading zero", ({ path, exp, sig }) => `${path}?exp=0${exp}&sig=${sig}`],
  ["an expiry with a decimal point", ({ path, exp, sig }) => `${path}?exp=${exp}.0&sig=${sig}`],
  ["an expiry with an exponent", ({ path, sig }) => `${path}?exp=9e99&sig=${sig}`],
  ["an expiry with a space", ({ path, exp, sig }) => `${path}?exp=%20${exp}&sig=${sig}`],
  ["an expiry in a list", ({ path, exp, sig }) => `${path}?exp[]=${exp}&sig=${sig}`],
  ["two expiries", ({ path, exp, sig }) => `${path}?exp=${exp}&exp=${exp}&sig=${sig}`],
  ["two signatures", ({ path, exp, sig }) => `${path}?exp=${exp}&sig=${sig}&sig=${sig}`],
  ["padding after the signature", ({ path, exp, sig }) => `${path}?exp=${exp}&sig=${sig}=`],
  [
    "another encoding of the signature's bytes",
    ({ path, exp, sig }) => `${path}?exp=${exp}&sig=${twinOf(sig)}`,
  ],
  [
    "the signature in plain base64",
    ({ path, exp, sig }) => {
      const plain = Buffer.from(sig, "base64url").toString("base64");
      return `${path}?exp=${exp}&sig=${encodeURIComponent(plain)}`;
    },
  ],
  [
    "the signature in hex",
    ({ path, exp, sig }) =>
      `${path}?exp=${exp}&sig=${Buffer.from(sig, "base64url").toString("hex")}`,
  ],
  ["a truncated signature", ({ path, exp, sig }) => `${path}?exp=${exp}&sig=${sig.slice(0, -2)}`],
  ["a signature of zeros", ({ path, exp }) => `${path}?exp=${exp}&sig=${"A".repeat(43)}`],
  [
    "a signature of 100,000 characters",
    ({ path, exp, sig }) => `${path}?exp=${exp}&sig=${sig.repeat(300)}`,
  ],
  ["the signature of another file", ({ other, exp, sig }) => `${other}?exp=${exp}&sig=${sig}`],
  [
    "the photo's signature on its preview",
    ({ preview, exp, sig }) => `${preview}?exp=${exp}&sig=${sig}`,
  ],
  [
    "the photo's signature on an output with the same id",
    ({ path, exp, sig }) => `${path.replace("/photos/", "/outputs/")}?exp=${exp}&sig=${sig}`,
  ],
  ["a longer name", ({ path, exp, sig }) => `${path}x?exp=${exp}&sig=${sig}`],
  ["a slash after the name", ({ path, exp, sig }) => `${path}/?exp=${exp}&sig=${sig}`],
  ["a slash before the path", ({ path, exp, sig }) => `/${path}?exp=${exp}&sig=${sig}`],
  [
    "a letter of the path encoded",
    ({ path, exp, sig }) => `${path.replace("/photos/", "/%70hotos/")}?exp=${exp}&sig=${sig}`,
  ],
  [
    "the id in capitals",
    ({ path, exp, sig }) =>
      `${path.replace(/[0-9a-f-]{36}/, (id) => id.toUpperCase())}?exp=${exp}&sig=${sig}`,
  ],
  [
    "a semicolon and a parameter after the name",
    ({ path, exp, sig }) => `${path};x=1?exp=${exp}&sig=${sig}`,
  ],
  ["the question mark encoded", ({ path, exp, sig }) => `${path}%3Fexp=${exp}&sig=${sig}`],
  ["a fragment before the question mark", ({ path, exp, sig }) => `${path}#?exp=${exp}&sig=${sig}`],
  [
    "a path with a detour through ..",
    ({ path, exp, sig }) => `${path.replace("/photos/", "/photos/x/../")}?exp=${exp}&sig=${sig}`,
  ],
  [
    "a signature with another key",
    ({ path, exp }) => `${path}?exp=${exp}&sig=${macOf(OTHER_KEY, `v1\n${path}\n${exp}`)}`,
  ],
  [
    "a signature with an empty key",
    ({ path, exp }) => `${path}?exp=${exp}&sig=${macOf("", `v1\n${path}\n${exp}`)}`,
  ],
  ["a signature of only the path", ({ path, exp }) => `${path}?exp=${exp}&sig=${macOf(KEY, path)}`],
  [
    "a signed path that contains the expiry",
    ({ path, exp }) => `${path}%0A1?exp=${exp}&sig=${macOf(KEY, `v1\n${path}\n1\n${exp}`)}`,
  ],
  [
    "an expired signature",
    ({ path }) =>
      urlsOf(KEY, () => Date.now() - 2 * 3_600_000).sign(
        "photos",
        path.split("/")[3] ?? "",
        path.split("/")[4] ?? "",
      ),
  ],
];

const CLIMBING = [
  "/files/photos/../../etc/passwd",
  "/files/../../../../etc/passwd",
  "/files/..%2f..%2f..%2fetc/passwd/a",
  "/files/%2e%2e/%2e%2e/etc/passwd",
  "/files/photos/..%5c..%5c/a",
  "/files/photos/..;/..;/etc",
  "/files/photos/%00/a",
  "/files/photos/a%00.png/b",
  "/files/photos/%c0%ae%c0%ae/a",
  "/files/photos/%252e%252e/a",
  "/files/photos/....//....//etc/a",
  "/files//photos//a",
  "/files/photos/C:%5cWindows/a",
  "/files/photos/%ff/%fe",
  "/files/photos/1/%",
  "/files/__proto__/constructor/a",
  "/files/photos/1",
  "/files/",
  `/files/photos/${"a".repeat(5000)}/b`,
  "file:///etc/passwd",
  "http://169.254.169.254/latest/meta-data/",
];

describe("a signed URL", () => {
  const bytes = smallPhoto(20, 20);
  let service: AttackedService;
  let signed: SignedUrl;
  before(async () => {
    service = await startAttackedService({ FILE_SIGNING_KEY: KEY });
    const upload = async (photo: Buffer) =>
      (await service.victim.upload(photo, { type: "image/png", filename: "a.png" })).json as {
        url: string;
        previewUrl: string;
      };
    const [photo, other] = [await upload(bytes), await upload(smallPhoto())];
    const url = new URL(photo.url, service.url);
    const pathOf = (text: string) => text.split("?", 1)[0] ?? "";
    signed = {
      path: url.pathname,
      exp: url.searchParams.get("exp") ?? "",
      sig: url.searchParams.get("sig") ?? "",
      other: pathOf(other.url),
      preview: pathOf(photo.previewUrl),
    };
  });
  after(() => service.close());

  // Sent without a library, which would normalise the path.
  const get = (path: string, headers: string[] = []) =>
    sendRaw(service.url, head(`GET ${path}`, headers));

  function assertRefused({ status, headers, body }: RawAnswer, ...statuses: number[]): void {
    assert.ok(statuses.includes(status), `${status} ${body}`);
    assert.equal(body.includes("PNG"), false, "the response contains the photo");
    assert.doesNotMatch(body, LEAKS);
    if (body) assert.match(headers["content-type"] ?? "", /^(application\/json|text\/plain)/);
  }

  for (const [what, url] of WIDENED)
    it(`is refused with ${what}`, async () =>
      assertRefused(await get(url(signed)), 403, 404, 414, 431));
  for (const path of CLIMBING)
    it(`is refused with the path ${path.slice(0, 60)}`, async () =>
      assertRefused(await get(path), 400, 403, 404, 414));

  it("is refused with a path to another file on disk, even with a valid signature", async () => {
    for (const id of ["..", "x", "%00", "0198f3a0-0000-7000-8000-00000000000g"])
      assertRefused(await get(urlsOf(KEY).sign("photos", id, "a.png")), 400, 404);
    for (const name of ["../../../etc/passwd", "..", ".", "a/../../b", "\0", "C:\\x"]) {
      for (const kind of ["photos", "previews", "outputs"] as const)
        assertRefused(
          await get(urlsOf(KEY).sign(kind, "0198f3a0-0000-7000-8000-000000000000", name)),
          400,
          404,
        );
    }
  });

  const good = () => `${signed.path}?exp=${signed.exp}&sig=${signed.sig}`;
  const RANGES: [what: string, range: string, statuses: number[]][] = [
    ["after its end", "bytes=1000000-", [416]],
    ["in reverse", "bytes=9-0", [416, 200]],
    ["of 1,000 parts", `bytes=${"0-0,".repeat(1000)}0-0`, [200, 206, 416]],
    ["of overlapping parts", "bytes=0-,0-,0-,0-,0-", [200, 206, 416]],
    ["of 400 digits", `bytes=${"9".repeat(400)}-`, [200, 416]],
    ["of negative numbers", "bytes=--5", [200, 416]],
    ["of letters", "bytes=a-b", [200, 416]],
    ["in another unit", "pages=1-", [200]],
  ];
  for (const [what, range, statuses] of RANGES) {
    it(`returns no more than the file for a range ${what}`, async () => {
      const { status, headers, body, text } = await get(good(), [`range: ${range}`]);
      assert.ok(statuses.includes(status), String(status));
      assert.ok(body.length <= bytes.length, `${body.length} bytes of ${bytes.length}`);
      assert.equal(headers["x-content-type-options"], "nosniff", text.slice(0, 300));
    });
  }

  for (const [what, lines] of [
    ["a wrong If-Range", ['if-range: "x"', "range: bytes=0-3"]],
    ["an invalid date", ["if-modified-since: never", "if-unmodified-since: never"]],
    ["1,500 ETags", [`if-none-match: ${'"a",'.repeat(1500)}"b"`]],
  ] as const) {
    it(`returns the whole file despite ${what}`, async () => {
      const { status, body } = await get(good(), [...lines]);
      assert.deepEqual([status, body.length], [200, bytes.length]);
    });
  }

  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"]) {
    it(`returns and changes nothing with ${method}`, async () => {
      const answer = await sendRaw(service.url, head(`${method} ${good()}`, ["content-length: 0"]));
      assertRefused(answer, 204, 400, 404, 405);
    });
  }

  it("still returns the file after these attacks", async () => {
    const { status, headers, body } = await get(good());
    assert.deepEqual(
      [status, headers["content-security-policy"], headers["x-content-type-options"], body],
      [200, "sandbox; default-src 'none'", "nosniff", bytes.toString("latin1")],
    );
    await service.assertUnharmed();
  });
});

/** Changes the last of 43 characters in a bit that decodes to nothing. */
function twinOf(signature: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return signature.slice(0, -1) + alphabet[alphabet.indexOf(signature.at(-1) ?? "") ^ 1];
}

function macOf(key: string, text: string): string {
  return createHmac("sha256", key).update(text).digest("base64url");
}
