import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readEveryTag } from "../../../src/imaging/metadata/read-every-tag.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { findLeftovers } from "../../../src/tasks/scrub/find-leftovers.js";
import { RIGHTS, segment, withSecrets } from "./plant-secrets.js";

const picture = () => sharp({ create: { width: 30, height: 20, channels: 3, background: "#369" } });
const NOBODY = { copyright: null, artist: null };
const ANN = { copyright: RIGHTS.Copyright, artist: RIGHTS.Artist };
const before = await readEveryTag(await withSecrets(picture(), RIGHTS).jpeg().toBuffer());
const withSegment = async (marker: number, data: Buffer) => {
  const clean = await picture().jpeg().toBuffer();
  return Buffer.concat([clean.subarray(0, 2), segment(marker, data), clean.subarray(2)]);
};

describe("what is left after scrubbing", () => {
  it("is nothing of a file without metadata", async () => {
    for (const format of ["jpeg", "png", "webp", "avif"] as const)
      assert.deepEqual(
        await findLeftovers(await picture()[format]().toBuffer(), before, {
          icc: true,
          rights: NOBODY,
        }),
        [],
      );
  });

  it("is named where tags are still there", async () => {
    for (const format of ["jpeg", "png", "webp", "avif"] as const) {
      const left = await findLeftovers(
        await withSecrets(picture(), RIGHTS)[format]().toBuffer(),
        before,
        { icc: true, rights: ANN },
      );
      for (const name of ["EXIF:GPSLatitude", "EXIF:BodySerialNumber"])
        assert(left.includes(name), `${format}: ${left.join(", ")}`);
      assert.equal(left.includes("EXIF:Copyright"), false);
    }
  });

  it("is a text that stands anywhere in the file, also as Windows writes it", async () => {
    for (const encoding of ["utf8", "utf16le"] as const) {
      const file = await withSegment(0xfe, Buffer.from("by sEcReT-owner", encoding));
      assert.deepEqual(await findLeftovers(file, before, { icc: true, rights: NOBODY }), [
        "EXIF:CameraOwnerName",
      ]);
    }
  });

  it("is a copyright that is not the one to stay", async () => {
    const file = await picture()
      .withExif({ IFD0: { Copyright: "somebody else's" } })
      .jpeg()
      .toBuffer();
    assert(
      (await findLeftovers(file, before, { icc: true, rights: ANN })).includes("EXIF:Copyright"),
    );
  });

  it("is not what stands in the copyright or in a profile that stays", async () => {
    const kept = await withSegment(0xe1, Buffer.from("Ann Example"));
    assert.deepEqual(
      await findLeftovers(kept, before, {
        icc: true,
        rights: { copyright: "by Ann Example, sEcReT-make", artist: "Ann Example" },
      }),
      [],
    );
    const file = await picture().withIccProfile("p3").jpeg().toBuffer();
    const { icc = Buffer.alloc(0) } = await sharp(file).metadata();
    // A signature and what follows it, in any profile (ICC.1, 7.2).
    const maker = [
      {
        group: "EXIF",
        name: "Make",
        text: icc.toString("latin1", icc.indexOf("mntrRGB "), icc.indexOf("mntrRGB ") + 8).trim(),
      },
    ];
    assert(file.includes(maker[0]?.text ?? "-") && maker[0]?.text.length === 7);
    assert.deepEqual(
      await findLeftovers(file, [...before, ...maker], { icc: true, rights: NOBODY }),
      [],
    );
    assert.match(
      (await findLeftovers(file, before, { icc: false, rights: NOBODY })).join(),
      /ICC:/,
    );
  });
});
