import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { entryNames } from "../../../src/tasks/archive/entry-names.js";

const namesOf = (...filenames: string[]) =>
  entryNames(filenames.map((filename) => ({ filename, mimeType: "image/jpeg" })));

describe("the names of photos in an archive", () => {
  it("are the names of the files", () => {
    const names = ["a.jpg", "IMG 0001 (copy).HEIC", "Füße & 山.jpeg"];
    assert.deepEqual(namesOf(...names), names);
  });

  it("are numbered when they differ in case only, and never collide with another number", () => {
    assert.deepEqual(namesOf("a.jpg", "A.JPG", "a (2).jpg", "a.jpg", "b.jpg", "a.png"), [
      "a.jpg",
      "A (2).JPG",
      "a (2) (2).jpg",
      "a (3).jpg",
      "b.jpg",
      "a.png",
    ]);
    // The same letters in two forms of Unicode.
    assert.deepEqual(namesOf("\u00e9.jpg", "e\u0301.jpg"), ["\u00e9.jpg", "\u00e9 (2).jpg"]);
  });

  it("lead to no folder, no device and no hidden file, and contain nothing that hides text", () => {
    assert.deepEqual(
      namesOf(
        "../../etc/passwd",
        "C:\\Users\\ann\\a.jpg",
        "/",
        "..",
        "a\u0000\u001b[2Jb\n.jpg",
        "gpj.\u202eexe.jpg",
        "con.jpg",
        "LPT1",
        ".htaccess",
        " a . ",
        'a<b>|"?*.jpg',
      ),
      [
        "_.._etc_passwd.jpg",
        "C__Users_ann_a.jpg",
        "_.jpg",
        "photo.jpg",
        "a__[2Jb_.jpg",
        "gpj._exe.jpg",
        "_con.jpg",
        "_LPT1.jpg",
        "htaccess.jpg",
        "a.jpg",
        "a_b_____.jpg",
      ],
    );
  });

  it("get the extension of their format when they have none", () => {
    const formats = ["jpeg", "png", "webp", "gif", "tiff", "avif", "heic"];
    assert.deepEqual(
      entryNames(formats.map((format) => ({ filename: "a", mimeType: `image/${format}` }))),
      ["a.jpg", "a.png", "a.webp", "a.gif", "a.tif", "a.avif", "a.heic"],
    );
  });

  it("are short enough for every file system, whole characters, and different, for any text", () => {
    const filename = fc.oneof(
      // A string of unit "binary" takes seconds to prepare.
      fc.array(fc.nat(0x10ffff), { maxLength: 300 }).map((all) => String.fromCodePoint(...all)),
      fc.string({ unit: fc.constantFrom("a", "A", ".", " ", "山", "/", "(2)"), maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(filename, { maxLength: 12 }), (filenames) => {
        const names = namesOf(...filenames);
        assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
        for (const name of names) {
          assert.match(name, /^[^\s./\\\p{Cc}][^/\\\p{Cc}]*\.[A-Za-z0-9]+$/u);
          assert.ok(Buffer.byteLength(name) <= 255, name);
          assert.equal(Buffer.from(name).toString(), name);
        }
      }),
    );
  });
});
