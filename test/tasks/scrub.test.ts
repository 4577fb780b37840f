import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { scrub } from "../../src/tasks/scrub/task.js";
import { noise } from "../imaging/noise.js";
import { assertColor } from "../imaging/quadrants.js";
import { noExiftool } from "./exiftool.js";
import {
  iptc,
  plantInJpeg,
  plantInWebp,
  RIGHTS,
  SECRET,
  segment,
  withSecrets,
} from "./scrub/plant-secrets.js";
import { createScrubScene, latin, rawOf, RIGHTS_ONLY, UPRIGHT } from "./scrub/scrub-scene.js";

const { run, exiftoolFinds, askExiftool } = createScrubScene();

describe("scrub parameters", () => {
  it("keep profile and copyright by default, and are rejected when they are invalid", () => {
    assert.deepEqual(scrub.parameters.parse({}), { keepIcc: true, keepCopyright: true });
    for (const input of [{ keepIcc: 1 }, { keepCopyright: "no" }, { keepGps: true }])
      assert.equal(scrub.parameters.safeParse(input).success, false, JSON.stringify(input));
  });
});

describe("scrubbing an upright photo", () => {
  for (const [kind, make] of Object.entries(UPRIGHT)) {
    it(`removes all planted data from ${kind}, and keeps every pixel`, async () => {
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

  it("keeps the copyright from IPTC and the artist from XMP when EXIF has none", async () => {
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

  it("keeps a wide profile, or converts the pixels to sRGB without it", async () => {
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

  it("keeps the segment with the meaning of the channels, without the data after it", async () => {
    const plain = await noise(16, 16).jpeg({ chromaSubsampling: "4:4:4" }).toBuffer();
    // The last byte of the Adobe segment is 0: the channels are RGB, not luminance and chroma.
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

  it("declares in the header of WebP that metadata exists or not", async () => {
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

  it("keeps CMYK unchanged", async () => {
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

  it("keeps all frames of an animation", async () => {
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

describe("a scrubbed photo", { skip: noExiftool }, () => {
  it("has no metadata for exiftool except the kept rights", () => askExiftool(9));
});
