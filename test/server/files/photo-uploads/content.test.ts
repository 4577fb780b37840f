import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { temporaryFolder } from "../../../imaging/temporary-folder.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { assertRefusal, formOf, UploadScene } from "./scene.js";

const HOW =
  "send the raw bytes as image/* or application/octet-stream, or a form " +
  '(multipart/form-data) with one "file".';
const CUT_OFF = new RegExp(
  "^The header of this (PNG|JPEG) file cannot be read: it is damaged or cut off\\. " +
    "Upload the original file again\\.$",
);
const FORMATS = /Upload it as JPEG, PNG, /;
const text = (content: string) => Buffer.from(content);

describe("an upload whose bytes are refused", () => {
  const folder = temporaryFolder().path;
  let scene: UploadScene;
  before(async () => {
    scene = await UploadScene.start(folder);
  });
  after(() => scene.service.close());

  const NO_PHOTOS: [string, Buffer, RegExp][] = [
    [
      "an SVG",
      text('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'),
      /^This is an SVG drawing, not a photo\./,
    ],
    [
      "an SVG behind an XML declaration",
      text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
      /^This is an SVG drawing, not a photo\./,
    ],
    ["a PDF", text("%PDF-1.7\n"), /^This is a PDF document, not a photo\./],
    [
      "a web page",
      text("<!doctype html><script>alert(1)</script>"),
      /^This is a web page, not a photo\./,
    ],
    [
      "an archive",
      Buffer.from("504b0304140000000800", "hex"),
      /^This is an archive, not a photo\./,
    ],
    ["text", text("hello"), /^This is text, not a photo\./],
    [
      "random bytes",
      Buffer.from("00fe00fe00fe", "hex"),
      /^This is not a photo of a known format\./,
    ],
  ];
  for (const [what, bytes, message] of NO_PHOTOS) {
    it(`is ${what}, whatever its declared type and name: 415`, async () => {
      for (const form of [false, true]) {
        const refusal = form
          ? await scene.send(formOf(["file", bytes]))
          : await scene.send(bytes, { "content-type": "image/jpeg", "x-filename": "a.jpg" });
        assertRefusal(refusal, 415, "PHOTO_UNREADABLE", message);
        assert.match(refusal.body.message ?? "", FORMATS);
      }
      await scene.assertNothingKept();
    });
  }

  it("has an unreadable header: 415", async () => {
    for (const bytes of [
      smallPhoto().subarray(0, 20),
      Buffer.concat([Buffer.from("ffd8ffe0", "hex"), Buffer.alloc(200, 1)]),
    ]) {
      assertRefusal(
        await scene.send(bytes, { "content-type": "image/png" }),
        415,
        "PHOTO_UNREADABLE",
        CUT_OFF,
      );
    }
    await scene.assertNothingKept();
  });

  it("has too many pixels: 413", async () => {
    assertRefusal(
      await scene.send(smallPhoto(100, 51), { "content-type": "image/png" }),
      413,
      "PHOTO_TOO_LARGE",
      "The photo has 0.01 megapixels (100 × 51); at most 0.01 are accepted. Scale it down and " +
        "upload it again.",
    );
    await scene.assertNothingKept();
  });

  for (const [type, body] of [
    ["application/json", '{"file":"data:image/png;base64,"}'],
    ["application/x-www-form-urlencoded", "file=%89PNG"],
    ["text/html", "<p>"],
  ] as const) {
    it(`is ${type}: 415, and the message explains how to send it`, async () => {
      const refusal = await scene.send(body, { "content-type": type });
      assertRefusal(refusal, 415, "PHOTO_UNREADABLE", /not a photo/);
      assert.ok(
        refusal.body.message?.endsWith(` Its content type is "${type}": ${HOW}`),
        refusal.body.message,
      );
      await scene.assertNothingKept();
    });
  }

  it("has an acceptable content type: 415, and the message does not mention it", async () => {
    for (const type of ["image/jpeg", "IMAGE/png; a=b", "application/octet-stream", ""]) {
      const { body } = await scene.send("hello", { "content-type": type });
      assert.doesNotMatch(body.message ?? "", /Its content type is/, type);
    }
  });
});
