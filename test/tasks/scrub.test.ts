import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { PermanentTaskError, PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/sharp.js";
import { scrub } from "../../src/tasks/scrub/task.js";
import { quadrantsHeic, tiledHeic } from "../imaging/heif-files.js";
import { makeGif } from "../imaging/make-gif.js";
import { noise } from "../imaging/noise.js";
import { assertColor, assertQuadrants, quadrants, storedQuadrants } from "../imaging/quadrants.js";
import { noSharedPhotos, sharedPhotos } from "../imaging/shared-photos.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { exiftoolOfMany, noExiftool } from "./exiftool.js";
import { runTask } from "./run-task.js";
import {
  iptc,
  plantInJpeg,
  plantInPng,
  plantInWebp,
  RIGHTS,
  SECRET,
  segment,
  withSecrets,
} from "./scrub/plant-secrets.js";

type Given = Parameters<typeof runTask<typeof scrub.parameters, typeof scrub.result>>[2];

const folder = temporaryFolder();
async function run(bytes: Uint8Array, given: Given = {}) {
  const done = await runTask(scrub, folder.write(bytes), given);
  const [file] = done.files.values();
  assert(file);
  return { ...done, file };
}
const rawOf = (file: Buffer) => sharp(file, { failOn: "none" }).raw().toBuffer();
const latin = (file: Buffer) => file.toString("latin1");

/** Files of which exiftool, where it is installed, is asked at the end, all at once. */
const scrubbed: { path: string; left: string[] }[] = [];
function exiftoolFinds(file: Buffer, left: string[]): void {
  scrubbed.push({ path: folder.write(file), left });
}
const OF_THE_PICTURE =
  /^(SourceFile|System:|File:|ExifTool:|Composite:|JFIF:|ICC|Adobe:|RIFF:|VP8|PNG(-pHYs)?:(Image(Width|Height)|BitDepth|ColorType|Compression|Filter|Interlace|Pixel|SRGB|Profile))/;
const RIGHTS_ONLY = ["IFD0:Artist", "IFD0:Copyright"];

const UPRIGHT = {
  jpeg: async (rights = {}) =>
    plantInJpeg(await withSecrets(noise(60, 40), rights).jpeg().toBuffer()),
  progressive: async (rights = {}) =>
    plantInJpeg(await withSecrets(noise(60, 40), rights).jpeg({ progressive: true }).toBuffer()),
  png: async (rights = {}) => plantInPng(await withSecrets(noise(60, 40), rights).png().toBuffer()),
  webp: async (rights = {}) =>
    plantInWebp(await withSecrets(noise(60, 40), rights).webp().toBuffer()),
};

describe("scrub parameters", () => {
  it("keep profile and copyright by default, and are refused when they are something else", () => {
    assert.deepEqual(scrub.parameters.parse({}), { keepIcc: true, keepCopyright: true });
    for (const given of [{ keepIcc: 1 }, { keepCopyright: "no" }, { keepGps: true }])
      assert.equal(scrub.parameters.safeParse(given).success, false, JSON.stringify(given));
  });
});

describe("scrubbing an upright photo", () => {
  for (const [kind, make] of Object.entries(UPRIGHT)) {
    it(`leaves nothing of what was planted in ${kind}, and every pixel`, async () => {
      const photo = await make(RIGHTS);
      assert.match(latin(photo), SECRET);
      const { result, file, outputs } = await run(photo, { keepCopyright: false });
      assert.doesNotMatch(latin(file), SECRET);
      assert.doesNotMatch(latin(file), /Ann|Xmp Creator|Exif|adobe|Photoshop|MPF|2021:04/);
      assert((await rawOf(file)).equals(await rawOf(photo)));
      const { exif, xmp, iptc: records, comments } = await sharp(file).metadata();
      assert.deepEqual(
        [exif, xmp, records, comments],
        [undefined, undefined, undefined, undefined],
      );
      exiftoolFinds(file, []);
      assert.deepEqual(
        [result.verifiedClean, result.lossless, result.warnings],
        [true, true, undefined],
      );
      for (const name of [
        "EXIF:Make",
        "EXIF:BodySerialNumber",
        "EXIF:GPSLatitude",
        "EXIF:Copyright",
        kind === "png" ? "PNG:XML:com.adobe.xmp" : "XMP:creator",
      ])
        assert(result.removed.includes(name), `${name} is not among ${result.removed.join(", ")}`);
      assert.doesNotMatch(JSON.stringify(result), SECRET);
      assert.deepEqual(
        [outputs[0]?.width, outputs[0]?.height, outputs[0]?.byteSize],
        [60, 40, file.length],
      );
    });

    it(`keeps copyright and artist in ${kind}, and every pixel`, async () => {
      const photo = await make(RIGHTS);
      const { result, file } = await run(photo);
      assert.doesNotMatch(latin(file), SECRET);
      assert((await rawOf(file)).equals(await rawOf(photo)));
      assert.match(
        latin((await sharp(file).metadata()).exif ?? Buffer.alloc(0)),
        /Ann Example[^]*\(c\) Ann 2026/,
      );
      exiftoolFinds(file, RIGHTS_ONLY);
      assert.deepEqual(
        [result.removed.includes("EXIF:Copyright"), file.includes("Xmp Creator")],
        [false, false],
      );
    });
  }

  it("takes the copyright from IPTC and the artist from XMP where EXIF has none", async () => {
    const plain = await noise(60, 40)
      .withXmp(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF ' +
          'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description ' +
          'rdf:about=""><dc:creator ' +
          'xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Seq><rdf:li>Zoë ' +
          "写</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>",
      )
      .jpeg()
      .toBuffer();
    const photo = Buffer.concat([
      plain.subarray(0, 2),
      segment(0xed, iptc({ 116: "IPTC rights (all)", 90: "sEcReT-city" })),
      plain.subarray(2),
    ]);
    const { file } = await run(photo);
    assert.deepEqual(
      [
        file.includes("IPTC rights (all)\0"),
        file.includes("Zoë 写\0"),
        SECRET.test(latin(file)),
        file.includes("adobe"),
      ],
      [true, true, false, false],
    );
    exiftoolFinds(file, RIGHTS_ONLY);
  });

  it("keeps a wide profile with its pixels, or brings them to sRGB when it is not to stay", async () => {
    for (const format of ["jpeg", "png", "webp"] as const) {
      const photo = await withSecrets(
        sharp({ create: { width: 16, height: 16, channels: 3, background: "#b4785a" } }),
      )
        .withIccProfile("p3")
        .toFormat(format)
        .toBuffer();
      const { icc } = await sharp(photo).metadata();
      const kept = await run(photo);
      assert.deepEqual(
        [
          kept.result.lossless,
          (await sharp(kept.file).metadata()).icc?.equals(icc ?? Buffer.alloc(0)),
        ],
        [true, true],
      );
      const { file, result } = await run(photo, { keepIcc: false });
      assert.deepEqual(
        [
          result.lossless,
          (await sharp(file).metadata()).icc,
          result.removed.includes("ICC:ICC Description"),
        ],
        [false, undefined, true],
      );
      assertColor([...(await rawOf(file)).subarray(0, 3)], [0xb4, 0x78, 0x5a], 3);
      assert.doesNotMatch(latin(file), SECRET);
    }
  });

  it("keeps the segment that says how the channels are to be understood, but nothing behind it", async () => {
    const plain = await noise(16, 16).jpeg({ chromaSubsampling: "4:4:4" }).toBuffer();
    // Adobe's last byte 0: red, green and blue as they are, not luminance and chroma.
    const photo = Buffer.concat([
      plain.subarray(0, 2),
      segment(0xee, Buffer.from("Adobe\0\x64\0\0\0\0\0sEcReT")),
      plain.subarray(2),
    ]);
    assert(!(await rawOf(photo)).equals(await rawOf(plain)));
    const { file, result } = await run(photo);
    assert.deepEqual(
      [result.lossless, SECRET.test(latin(file)), (await rawOf(file)).equals(await rawOf(photo))],
      [true, false, true],
    );
  });

  it("says in the header of WebP that there is no metadata, or that there is", async () => {
    const photo = await UPRIGHT.webp(RIGHTS);
    const flagsOf = (file: Buffer) =>
      file.toString("latin1", 12, 16) === "VP8X" ? (file[20] ?? 0) & 0x0c : null;
    assert.deepEqual(
      [
        flagsOf(photo),
        flagsOf((await run(photo)).file),
        flagsOf((await run(photo, { keepCopyright: false })).file),
      ],
      [0x0c, 0x08, 0],
    );
  });

  it("keeps CMYK as it is", async () => {
    const photo = await sharp({
      create: { width: 16, height: 16, channels: 3, background: "#aa7864" },
    })
      .toColourspace("cmyk")
      .jpeg()
      .toBuffer();
    const { file, result } = await run(plantInJpeg(photo));
    assert.deepEqual([result.lossless, (await sharp(file).metadata()).space], [true, "cmyk"]);
    assert((await rawOf(file)).equals(await rawOf(photo)));
  });

  it("keeps an animation moving", async () => {
    const frames = await Promise.all(
      ["#c81428", "#14b428"].map((background) =>
        sharp({ create: { width: 8, height: 8, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const photo = plantInWebp(
      await withSecrets(sharp(frames, { join: { animated: true } }))
        .webp({ lossless: true })
        .toBuffer(),
    );
    const { file, result } = await run(photo);
    assert.deepEqual(
      [
        (await sharp(file).metadata()).pages,
        result.lossless,
        result.warnings,
        SECRET.test(latin(file)),
      ],
      [2, true, undefined, false],
    );
    assert(
      (await sharp(file, { animated: true }).raw().toBuffer()).equals(
        await sharp(photo, { animated: true }).raw().toBuffer(),
      ),
    );
  });
});

describe("scrubbing any other photo", () => {
  for (const format of ["jpeg", "png", "webp"] as const) {
    it(`turns ${format} upright and leaves nothing but the rights`, async () => {
      const { data, raw } = storedQuadrants(64, 32, 6);
      const photo = await withSecrets(sharp(data, { raw }), {
        ...RIGHTS,
        Artist: "Ann (E) Example",
      })
        .withMetadata({ orientation: 6 })
        .toFormat(format, { quality: 100 })
        .toBuffer();
      const { file, result } = await run(photo);
      assert.deepEqual([result.lossless, result.format], [false, format]);
      assert.doesNotMatch(latin(file), SECRET);
      const header = await sharp(file).metadata();
      assert.deepEqual(
        [header.format, header.width, header.height, header.orientation],
        [format, 64, 32, undefined],
      );
      await assertQuadrants(file, 12);
      assert.match(latin(header.exif ?? Buffer.alloc(0)), /Ann Example|Ann \(E\) Example/);
      exiftoolFinds(file, RIGHTS_ONLY);
    });
  }

  for (const [format, becomes] of [
    ["tiff", "jpeg"],
    ["avif", "avif"],
  ] as const) {
    it(`makes ${becomes} of ${format}`, async () => {
      const { file, result } = await run(await withSecrets(quadrants(64, 32))[format]().toBuffer());
      assert.deepEqual([result.lossless, result.format], [false, becomes]);
      assert.doesNotMatch(latin(file), SECRET);
      await assertQuadrants(file, 16);
    });
  }

  it("makes JPEG of an animation's first frame, and says so", async () => {
    const { result } = await run(
      makeGif([
        [9, 9, 9],
        [200, 0, 0],
      ]),
    );
    assert.deepEqual([result.format, result.warnings], ["jpeg", ["first frame of an animation"]]);
  });

  it("does not lose quality, chroma, or the profile of a turned JPEG", async () => {
    const picture = noise(160, 120).blur(1.5).withIccProfile("p3").withMetadata({ orientation: 3 });
    for (const chromaSubsampling of ["4:4:4", "4:2:0"]) {
      const photo = await picture.clone().jpeg({ quality: 97, chromaSubsampling }).toBuffer();
      const { file } = await run(photo);
      const header = await sharp(file).metadata();
      assert.deepEqual(
        [
          header.chromaSubsampling,
          header.icc?.equals((await sharp(photo).metadata()).icc ?? Buffer.alloc(0)),
        ],
        [chromaSubsampling, true],
      );
      const [before, after] = [await sharp(photo).rotate().raw().toBuffer(), await rawOf(file)];
      const squares = before.reduce((sum, value, at) => sum + (value - (after[at] ?? 0)) ** 2, 0);
      assert(
        10 * Math.log10(255 ** 2 / (squares / before.length)) > 38,
        `${10 * Math.log10(255 ** 2 / (squares / before.length))} dB`,
      );
    }
  });

  it("repairs a JPEG that lacks its end, and refuses one that is cut", async () => {
    const whole = await noise(120, 80).jpeg().toBuffer();
    const { file, result } = await run(whole.subarray(0, -2));
    assert.deepEqual(
      [file.equals(whole) || (await rawOf(file)).equals(await rawOf(whole)), result.warnings],
      [true, ["repaired: end marker missing"]],
    );
    await assert.rejects(
      run(whole.subarray(0, whole.length / 2)),
      (error) => error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
    );
  });

  it("encodes anew what is told within the coded picture, too, where nothing can be cut", async () => {
    const photo = await withSecrets(noise(60, 40), RIGHTS).jpeg().toBuffer();
    const { file, result } = await run(
      Buffer.concat([photo.subarray(0, -2), Buffer.from("sEcReT-serial"), photo.subarray(-2)]),
    );
    assert.deepEqual(
      [result.lossless, result.format, result.verifiedClean, SECRET.test(latin(file))],
      [false, "jpeg", true, false],
    );
    exiftoolFinds(file, RIGHTS_ONLY);
    const [before, after] = [await rawOf(photo), await rawOf(file)];
    assert(
      before.reduce((sum, value, at) => sum + Math.abs(value - (after[at] ?? 0)), 0) /
        before.length <
        12,
    );
  });

  it("fails for good, and gives nothing out, when something is left even then", async () => {
    // What stands before every profile of a JPEG.
    const photo = await noise(60, 40)
      .withIccProfile("p3")
      .withExif({ IFD0: { Make: "ICC_PROFILE" } })
      .jpeg()
      .toBuffer();
    const message =
      "The photo could not be scrubbed: read again, it still tells EXIF:Make. Nothing " +
      "was given out.";
    await assert.rejects(
      run(photo),
      (error) =>
        error instanceof PermanentTaskError &&
        error.code === "TASK_FAILED" &&
        error.message === message,
    );
  });

  it("keeps the wide profile of a HEIC with its pixels, or brings them to sRGB", async () => {
    const kept = await run(quadrantsHeic());
    const { icc = Buffer.alloc(0), ...header } = await sharp(kept.file).metadata();
    assert.deepEqual(
      [
        header.format,
        header.width,
        header.height,
        header.orientation,
        icc.equals((await sharp(quadrantsHeic()).metadata()).icc ?? Buffer.alloc(1)),
      ],
      ["jpeg", 96, 64, undefined, true],
    );
    await assertQuadrants(kept.file, 12);
    const { file } = await run(quadrantsHeic(), { keepIcc: false });
    assert.equal((await sharp(file).metadata()).icc, undefined);
    await assertQuadrants(file, 12);
    for (const cut of [quadrantsHeic().subarray(0, -1), tiledHeic().subarray(0, -1)])
      await assert.rejects(
        run(cut),
        (error) =>
          error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
      );
  });

  it("tells its steps, and stops between two when told to", async () => {
    const photo = await UPRIGHT.jpeg();
    const { steps } = await run(photo);
    assert.deepEqual(steps, [
      [0, "reading the tags"],
      [0.2, "taking them out"],
      [0.8, "reading the output again"],
      [0.95, "writing"],
      [1, "done"],
    ]);
    await assert.rejects(runTask(scrub, folder.write(photo), {}, AbortSignal.abort()), {
      name: "AbortError",
    });
  });
});

describe("scrubbing photos of real cameras", { skip: noSharedPhotos }, () => {
  const names = noSharedPhotos
    ? []
    : readdirSync(sharedPhotos).filter((name) =>
        /^(Canon_40D|DSCN0010|fujifilm-dx10|landscape_6|nikon-e950)\.jpg$|\.HEIC$/.test(name),
      );
  for (const name of names) {
    it(`leaves the picture alone in ${name}`, async () => {
      const { result, files } = await runTask(scrub, sharedPhotos + name, { keepCopyright: false });
      const [file] = files.values();
      assert(file);
      exiftoolFinds(file, []);
      assert.deepEqual([result.format, result.verifiedClean], ["jpeg", true]);
      const lossless = !/landscape|HEIC/.test(name);
      assert.equal(result.lossless, lossless);
      if (lossless)
        assert(
          (await rawOf(file)).equals(
            await sharp(sharedPhotos + name, { failOn: "none" })
              .raw()
              .toBuffer(),
          ),
        );
    });
  }
});

describe("scrubbing a cut photo of an iPhone", { skip: noSharedPhotos }, () => {
  it("is refused, though a decoder would show the rest in grey", async () => {
    const whole = readFileSync(`${sharedPhotos}IMG_5195.HEIC`);
    await assert.rejects(
      run(whole.subarray(0, whole.length * 0.9)),
      (error) =>
        error instanceof PhotoUnreadableError &&
        /the picture cannot be decoded/.test(error.message),
    );
  });
});

describe("scrubbing a photo with something wrong in its header", () => {
  it("shows what can be read, and says so", async () => {
    const { data, raw } = storedQuadrants(48, 24, 6);
    const lying = await sharp(data, { raw })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 95 })
      .toBuffer();
    // Three bytes where a segment should begin: before the tables of quantisation.
    const tables = lying.indexOf(Buffer.from([0xff, 0xdb]));
    const { result, file } = await run(
      Buffer.concat([lying.subarray(0, tables), Buffer.alloc(3), lying.subarray(tables)]),
    );
    assert.deepEqual(
      [result.warnings, result.verifiedClean],
      [["damaged: parts of the picture may be wrong"], true],
    );
    await assertQuadrants(file, 16);
  });
});

describe("what was scrubbed", { skip: noExiftool }, () => {
  it("tells exiftool nothing but the rights that were to stay", () => {
    assert(scrubbed.length >= 12, String(scrubbed.length));
    const found = exiftoolOfMany(scrubbed.map(({ path }) => path)).map((said) =>
      Object.keys(said)
        .filter((tag) => !OF_THE_PICTURE.test(tag))
        .sort(),
    );
    assert.deepEqual(
      found,
      scrubbed.map(({ left }) => left),
    );
  });
});
