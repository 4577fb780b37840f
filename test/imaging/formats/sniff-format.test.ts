import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoUnreadableError } from "../../../src/domain/errors.js";
import { sniffFormat } from "../../../src/imaging/formats/sniff-format.js";

const accepted: [string, string][] = [
  ["jpeg", "\xff\xd8\xff\xe0\0\x10JFIF"],
  ["png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
  ["webp", "RIFF\x24\n\0\0WEBPVP8 "],
  ["gif", "GIF89a\x01\0"],
  ["gif", "GIF87a\x01\0"],
  ["tiff", "II\x2a\0\x08\0\0\0"],
  ["tiff", "MM\0\x2a\0\0\0\x08"],
  ["tiff", "II\x2b\0\x08\0\0\0"],
  ["avif", "\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"],
  ["avif", "\0\0\0\x1cftypmif1\0\0\0\0mif1miafavif"],
  ["heic", "\0\0\0\x18ftypheic\0\0\0\0mif1heic"],
  ["heic", "\0\0\0\x18ftypmif1\0\0\0\0mif1heix"],
];

const refused: [string, RegExp][] = [
  ["", /^The file is empty\.$/],
  [
    "hello, world\n",
    /^This is text, not a photo\. Upload it as JPEG, PNG, WebP, GIF, TIFF, AVIF or HEIC\.$/,
  ],
  ["%PDF-1.7\n%\xe2\xe3", /^This is a PDF document, not a photo\./],
  ["PK\x03\x04\x14\0", /^This is an archive, not a photo\./],
  ['<svg xmlns="http://www.w3.org/2000/svg"/>', /^This is an SVG drawing, not a photo\./],
  [
    '<?xml version="1.0"?>\n<!-- by hand -->\n<svg width="1"/>',
    /^This is an SVG drawing, not a photo\./,
  ],
  ["\n<!DOCTYPE html><html>", /^This is a web page, not a photo\./],
  ["\0\0\0\x18ftypmp42\0\0\0\0isommp42", /^This is a video\./],
  ["II\x2a\0\x10\0\0\0CR\x02\0", /^This is a camera's raw file\./],
  ["\xff\x0a\xfa", /^This is a JPEG XL picture/],
  ["BM\x36\0\x0c\0\0\0\0\0", /^This is a BMP picture/],
  ["\0\x01\x02\x03\x04", /^This is not a photo of a known format\./],
  ["\xff\xd8", /^This is text|^This is not a photo/],
  // The brands end with their box: bytes after it do not count.
  ["\0\0\0\x14ftypmp42\0\0\0\0isomavif", /^This is a video\./],
];

describe("sniffing", () => {
  for (const [format, head] of accepted) {
    it(`recognizes ${JSON.stringify(head.slice(0, 12))} as ${format}`, () => {
      assert.equal(sniffFormat(Buffer.from(head, "latin1")), format);
    });
  }

  for (const [head, sentence] of refused) {
    it(`rejects ${JSON.stringify(head.slice(0, 20))} with a clear message`, () => {
      assert.throws(
        () => sniffFormat(Buffer.from(head, "latin1")),
        (error) => error instanceof PhotoUnreadableError && sentence.test(error.message),
      );
    });
  }

  it("recommends HEIC only where it is accepted", () => {
    assert.throws(() => sniffFormat(Buffer.from("hello"), { acceptHeic: false }), {
      message: "This is text, not a photo. Upload it as JPEG, PNG, WebP, GIF, TIFF or AVIF.",
    });
  });
});
