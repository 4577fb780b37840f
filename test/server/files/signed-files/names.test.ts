import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as fc from "fast-check";
import { createFileUrls } from "../../../../src/photos/file-urls.js";
import { cleanFilename } from "../../../../src/server/files/photo-uploads.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import type { TestClient } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const KEY = "the-key-of-this-test-0123456789abcdef";
const urls = createFileUrls({
  signingKey: KEY,
  publicUrl: null,
  storage: { presign: async () => null },
});

/** Characters that are special in URLs, paths or headers. */
const PIECES = [
  ".",
  "..",
  "%2e",
  "%2E%2e",
  "%",
  "%25",
  "%00",
  "/",
  "\\",
  "?",
  "#",
  ";",
  ":",
  "@",
  "&",
  "=",
  "+",
  " ",
  "\t",
  "\n",
  "~",
  "'",
  '"',
  "<",
  "`",
  "{",
  "|",
  "^",
  "[",
  "*",
  "(",
  "ü",
  "🌄",
  "\ud83d",
  "\u202e",
  "a",
  ".png",
];

/** Names that an earlier release stored unchanged. */
const DOTS = [".", "..", "...", ". .", "%2e", "%2e%2e", "%2E.", ".%2e", "a/..", "..%2f", "..;"];

describe("the URL of a photo", () => {
  let service: TestService;
  let person: TestClient;
  let id: string;
  before(async () => {
    service = await startTestService({ workers: 0, env: { FILE_SIGNING_KEY: KEY } });
    person = await service.person();
    id = String((await person.upload(smallPhoto(), { type: "image/png" })).json["id"]);
  });
  after(() => service.close());

  /** Fetches the photo like a browser. */
  async function statusOf(name: string): Promise<number> {
    const response = await fetch(new URL(urls.sign("photos", id, name), service.url));
    await response.arrayBuffer();
    return response.status;
  }

  it("works in a browser for any name", async () => {
    const name = fc.oneof(
      // A string of unit "binary" takes seconds to prepare.
      fc.array(fc.nat(0x10ffff), { maxLength: 250 }).map((all) => String.fromCodePoint(...all)),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }).map((pieces) => pieces.join("")),
    );
    await fc.assert(
      fc.asyncProperty(name, async (filename) =>
        assert.equal(await statusOf(cleanFilename(filename)), 200),
      ),
      { numRuns: 100 },
    );
    assert.equal(await statusOf(cleanFilename("🌄".repeat(300))), 200);
  });

  for (const name of DOTS) {
    it(`works in a browser for the stored name ${JSON.stringify(name)}`, async () => {
      assert.equal(await statusOf(name), 200);
    });
  }

  for (const name of [".", "..", ". .", "%2e%2e"]) {
    it(`works in a browser after an upload named ${JSON.stringify(name)}`, async () => {
      for (const form of [false, true]) {
        const { json } = await person.upload(smallPhoto(), {
          type: "image/png",
          filename: name,
          form,
        });
        assert.match(String(json["filename"]), /[^. ]/);
        assert.equal(
          (await fetch(new URL(String(json["url"]), service.url))).status,
          200,
          String(json["url"]),
        );
      }
    });
  }
});
