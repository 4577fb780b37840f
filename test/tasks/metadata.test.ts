import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { metadata } from "../../src/tasks/metadata/task.js";
import { noSharedPhotos, sharedPhotos } from "../imaging/shared-photos.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { exiftool, noExiftool } from "./exiftool.js";
import { runTask } from "./run-task.js";

type Exif = Parameters<ReturnType<typeof sharp>["withExif"]>[0];

const folder = temporaryFolder();
const run = async (bytes: Uint8Array, input: { redactGps?: boolean } = {}) =>
  (await runTask(metadata, folder.write(bytes), input)).result;
const picture = () => sharp({ create: { width: 30, height: 20, channels: 3, background: "#369" } });
const withExif = (exif: Exif) => picture().withExif(exif).jpeg().toBuffer();

const XMP_POSITION = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="51,30.5S"
 exif:GPSLongitude="7,15.25W" xmlns:drone="http://www.dji.com/drone-dji/1.0/"
 drone:GpsLongtitude="-7.254167" drone:AbsoluteAltitude="+99.5"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"><dc:creator
 xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Seq><rdf:li>Zoë 写</rdf:li></rdf:Seq
 ></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>`;

const FULL: Exif = {
  IFD0: { Make: "Acme ", Model: "Eye 3", Copyright: "me" },
  IFD2: {
    DateTimeOriginal: "2021:04:11 15:47:53",
    OffsetTimeOriginal: "-05:00",
    ExposureTime: "1/50",
    FNumber: "9/5",
    ISOSpeedRatings: "400",
    FocalLength: "35/1",
    LensModel: "Acme 35mm f/1.8",
  },
  IFD3: {
    GPSLatitudeRef: "S",
    GPSLatitude: "33/1 30/1 0/1",
    GPSLongitudeRef: "E",
    GPSLongitude: "151/1 15/1 0/1",
    GPSAltitude: "125/10",
  },
};

describe("metadata", () => {
  it("contains camera, lens, exposure, time, place and colour profile", async () => {
    const { tags, ...report } = await run(
      await picture().withExif(FULL).withIccProfile("p3").jpeg().toBuffer(),
    );
    assert.deepEqual(report, {
      camera: { make: "Acme", model: "Eye 3" },
      lens: "Acme 35mm f/1.8",
      exposure: { seconds: 0.02, fNumber: 1.8, iso: 400, focalLength: 35 },
      takenAt: "2021-04-11T15:47:53-05:00",
      gps: { latitude: -33.5, longitude: 151.25, altitude: 12.5 },
      orientation: 1,
      colorProfile: "sP3C",
      width: 30,
      height: 20,
    });
    assert.deepEqual(
      [tags["Make"], tags["FNumber"], tags["Orientation"], tags["Copyright"]],
      ["Acme", 1.8, "top-left", "me"],
    );
  });

  for (const format of ["png", "webp", "avif"] as const) {
    it(`is also read from ${format}`, async () => {
      const { camera, takenAt, gps } = await run(
        await picture().withExif(FULL)[format]().toBuffer(),
      );
      assert.deepEqual(
        [camera.model, takenAt, gps?.latitude],
        ["Eye 3", "2021-04-11T15:47:53-05:00", -33.5],
      );
    });
  }

  for (const format of ["jpeg", "png", "webp", "gif", "tiff", "avif"] as const) {
    it(`is mostly null for ${format} without metadata`, async () => {
      const { tags: _, ...report } = await run(await picture()[format]().toBuffer());
      const exposure = { seconds: null, fNumber: null, iso: null, focalLength: null };
      assert.deepEqual(report, {
        camera: { make: null, model: null },
        lens: null,
        exposure,
        takenAt: null,
        gps: null,
        orientation: 1,
        colorProfile: null,
        width: 30,
        height: 20,
      });
    });
  }

  it("contains the file's orientation and the upright size", async () => {
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const report = await run(await picture().withMetadata({ orientation }).jpeg().toBuffer());
      assert.deepEqual(
        [report.orientation, report.width, report.height],
        orientation > 4 ? [orientation, 20, 30] : [orientation, 30, 20],
      );
    }
  });

  it("has no offset when the file has none, and null for an invalid date", async () => {
    const expected = {
      "1998:01:01 00:00:00": "1998-01-01T00:00:00",
      "0000:00:00 00:00:00": null,
      "2021:13:01 00:00:00": null,
      "    :  :     :  :  ": null,
    };
    for (const [DateTimeOriginal, takenAt] of Object.entries(expected)) {
      assert.equal((await run(await withExif({ IFD2: { DateTimeOriginal } }))).takenAt, takenAt);
    }
  });

  it("has exposure time and aperture from APEX values when there is nothing else", async () => {
    const { exposure } = await run(
      await withExif({ IFD2: { ShutterSpeedValue: "5/1", ApertureValue: "4/1" } }),
    );
    assert.deepEqual([exposure.seconds, exposure.fNumber], [1 / 32, 4]);
  });

  it("treats 0 and fractions with a zero as unknown", async () => {
    const { exposure } = await run(
      await withExif({ IFD2: { ExposureTime: "1/0", FNumber: "0/10", FocalLength: "0/0" } }),
    );
    assert.deepEqual(exposure, { seconds: null, fNumber: null, iso: null, focalLength: null });
  });

  it("has the position from XMP when EXIF has none, with its sign", async () => {
    const { gps, tags } = await run(await picture().withXmp(XMP_POSITION).jpeg().toBuffer());
    assert(gps);
    assert(Math.abs(gps.latitude + 51.508333) < 1e-5 && Math.abs(gps.longitude + 7.254167) < 1e-5);
    assert.deepEqual([tags["XMP:creator"], tags["XMP:Rating"]], ["Zoë 写", "4"]);
  });

  it("contains no position in any tag when positions are redacted", async () => {
    for (const format of ["jpeg", "png", "webp", "avif"] as const) {
      const bytes = await picture()
        .withExif({ ...FULL, IFD0: { ImageDescription: "at -33.5000, 151.2500" } })
        .withXmp(XMP_POSITION)
        .toFormat(format)
        .toBuffer();
      const report = await run(bytes, { redactGps: true });
      assert.equal(report.gps, null);
      assert.doesNotMatch(
        JSON.stringify(report.tags),
        /gps|latitude|longt?itude|altitude|33\.5|151\.25|51[.,]|7\.25|7,15|99\.5|12\.5/i,
      );
      assert.equal(report.tags["LensModel"], "Acme 35mm f/1.8");
      assert.match(JSON.stringify((await run(bytes)).tags), /GPSLatitude/);
    }
  });

  it("has limits for long and many tags, far below the limit of a result", async () => {
    const entries = Array.from({ length: 600 }, (_, n) => `t:n${n}="${"写".repeat(700)}"`).join(
      " ",
    );
    const xmp =
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF ` +
      `xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description ` +
      `rdf:about="" xmlns:t="urn:t" ${entries}/></rdf:RDF></x:xmpmeta>`;
    const report = await run(await picture().withXmp(xmp).webp().toBuffer());
    const values = Object.values(report.tags);
    assert(values.length > 50 && values.length <= 200, String(values.length));
    assert(values.every((value) => String(value).length <= 500));
    assert(Buffer.byteLength(JSON.stringify(report)) < 160 * 1024);
  });

  it("contains no characters that JSON or PostgreSQL reject", async () => {
    const bytes = await withExif({ IFD0: { Software: "one_two" } });
    bytes.write("one\0two", bytes.indexOf("one_two"), "latin1");
    const control = await withExif({ IFD0: { Software: "one_two" } });
    control.write("one\u0007two", control.indexOf("one_two"), "latin1");
    for (const file of [bytes, control])
      assert.doesNotMatch(JSON.stringify((await run(file)).tags), /\\u00|\\ud/i);
    assert.equal((await run(control)).tags["Software"], "one two");
  });

  it("is read without the damaged parts", async () => {
    const bytes = await withExif(FULL);
    bytes.fill(0xff, bytes.indexOf("Exif") + 14, bytes.indexOf("Exif") + 60);
    const { width, height } = await run(bytes);
    assert.deepEqual([width, height], [30, 20]);
  });

  it("is rejected for files that are not photos", async () => {
    await assert.rejects(
      run(Buffer.from("PK\x03\x04")),
      (error) => error instanceof PhotoUnreadableError && /archive/.test(error.message),
    );
  });
});

describe("metadata compared with exiftool", { skip: noSharedPhotos || noExiftool }, () => {
  for (const name of noSharedPhotos
    ? []
    : readdirSync(sharedPhotos).filter((file) => file.endsWith(".jpg"))) {
    it(`is the same for ${name}`, async () => {
      const { result } = await runTask(metadata, sharedPhotos + name, {});
      const tags = exiftool(sharedPhotos + name);
      assert.deepEqual(result.camera, {
        make: text(tags["IFD0:Make"]),
        model: text(tags["IFD0:Model"]),
      });
      assert.equal(result.lens, text(tags["ExifIFD:LensModel"]));
      assert.equal(
        result.takenAt?.slice(0, 19) ?? null,
        text(tags["ExifIFD:DateTimeOriginal"])?.replace(/^(\d+):(\d+):(\d+) /, "$1-$2-$3T") ?? null,
      );
      assert.equal(result.takenAt?.slice(19) || null, text(tags["ExifIFD:OffsetTimeOriginal"]));
      near(
        result.exposure.seconds,
        tags["ExifIFD:ExposureTime"] ?? tags["ExifIFD:ShutterSpeedValue"],
      );
      near(result.exposure.fNumber, tags["ExifIFD:FNumber"] ?? tags["ExifIFD:ApertureValue"]);
      near(result.exposure.iso, tags["ExifIFD:ISO"]);
      near(result.exposure.focalLength, tags["ExifIFD:FocalLength"]);
      near(result.gps?.latitude ?? null, tags["Composite:GPSLatitude"]);
      near(result.gps?.longitude ?? null, tags["Composite:GPSLongitude"]);
      near(result.gps?.altitude ?? null, tags["Composite:GPSAltitude"]);
      assert.equal(result.orientation, tags["IFD0:Orientation"] ?? 1);
      assert.equal(result.colorProfile, text(tags["ICC_Profile:ProfileDescription"]));
      const turned = result.orientation > 4;
      assert.deepEqual(
        [result.width, result.height],
        turned
          ? [tags["File:ImageHeight"], tags["File:ImageWidth"]]
          : [tags["File:ImageWidth"], tags["File:ImageHeight"]],
      );
    });
  }
});

function text(expected: string | number | undefined): string | null {
  return expected === undefined ? null : String(expected).trim() || null;
}

function near(actual: number | null, expected: string | number | undefined): void {
  if (expected === undefined || expected === "") return assert.equal(actual, null);
  assert(
    actual !== null && Math.abs(actual - Number(expected)) <= 1e-6 * Math.abs(Number(expected)),
    `${actual} is not ${expected}`,
  );
}
