import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cleanFilename } from "../../../../src/server/files/photo-uploads.js";

const CASES: [string, string, string][] = [
  ["keeps a normal name", "Küste 🌄 (1).jpg", "Küste 🌄 (1).jpg"],
  ["removes folders", "../../etc/passwd", "passwd"],
  ["removes Windows folders", "C:\\Users\\ann\\photo.jpg", "photo.jpg"],
  ["removes control characters", "a\u0000b\nc\u001f\u007f\u0085.jpg", "abc.jpg"],
  ["removes marks that change the reading direction", "a\u202egpj.exe\u2066", "agpj.exe"],
  ["replaces half a surrogate pair", "a\ud83d.jpg", "a\ufffd.jpg"],
  ["is trimmed", "  a.jpg ", "a.jpg"],
  ["is photo when nothing is left", "", "photo"],
  ["is photo when only a folder is left", "folder/", "photo"],
  ["is photo when only blanks are left", " \n ", "photo"],
  ["is photo when only a dot is left", "a/.", "photo"],
  ["is photo when only two dots are left, which no URL can end with", "..", "photo"],
  ["is photo when only dots and blanks are left", " . ..\u00a0… ", "photo"],
  ["keeps dots within a name", "..a.b..", "..a.b.."],
  ["keeps encoded dots", "%2e%2e", "%2e%2e"],
  ["has at most 200 whole characters", "🌄".repeat(300), "🌄".repeat(200)],
];

describe("a clean filename", () => {
  for (const [what, name, clean] of CASES) it(what, () => assert.equal(cleanFilename(name), clean));
});
