import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readEveryTag } from "../../../src/imaging/metadata/read-every-tag.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { findLeftovers } from "../../../src/tasks/scrub/find-leftovers.js";
import { RIGHTS, segment, withSecrets } from "./plant-secrets.js";

const picture = () => sharp({ create: { width: 30, height: 20, channels: 3, background: "#369" } });
const NO_RIGHTS = { copyright: null, artist: null };
const ANNS_RIGHTS = { copyright: RIGHTS.Copyright, artist: RIGHTS.Artist };
const before = await readEveryTag(await withSecrets(picture(), RIGHTS).jpeg().toBuffer());
const withSegment = async (marker: number, data: Buffer) => {
  const clean = await picture().jpeg().toBuffer();
  return Buffer.concat([clean.subarray(0, 2), segment(marker, data), clean.subarray(2)]);
};

describe("findLeftovers", () => {
  it("finds nothing in a file without metadata", async () => {
    for (const format of ["jpeg", "png", "webp", "avif"] as const)
      assert.deepEqual(
        await findLeftovers(await picture()[format]().toBuffer(), before, {
          icc: true,
          rights: NO_RIGHTS,
        }),
        [],
      );
  });

  it("names the tags that are still there", async () => {
    for (const format of ["jpeg", "png", "webp", "avif"] as const) {
      const left = await findLeftovers(
        await withSecrets(picture(), RIGHTS)[format]().toBuffer(),
        before,
        { icc: true, rights: ANNS_RIGHTS },
      );
      for (const name of ["EXIF:GPSLatitude", "EXIF:BodySerialNumber"])
        assert(left.includes(name), `${format}: ${left.join(", ")}`);
      assert.equal(left.includes("EXIF:Copyright"), false);
    }
  });

  it("finds a text anywhere in the file, in UTF-8 and UTF-16", async () => {
    for (const encoding of ["utf8", "utf16le"] as const) {
      const file = await withSegment(0xfe, Buffer.from("by sEcReT-owner", encoding));
      assert.deepEqual(await findLeftovers(file, before, { icc: true, rights: NO_RIGHTS }), [
        "EXIF:CameraOwnerName",
      ]);
    }
  });

  it("finds a copyright that is not the kept one", async () => {
    const file = await picture()
      .withExif({ IFD0: { Copyright: "another owner's" } })
      .jpeg()
      .toBuffer();
    assert(
      (await findLeftovers(file, before, { icc: true, rights: ANNS_RIGHTS })).includes(
        "EXIF:Copyright",
      ),
    );
  });

  it("ignores texts in the kept copyright or profile", async () => {
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
    // A signature and the next field, which every profile has (ICC.1, 7.2).
    const maker = [
      {
        group: "EXIF",
        name: "Make",
        text: icc.toString("latin1", icc.indexOf("mntrRGB "), icc.indexOf("mntrRGB ") + 8).trim(),
      },
    ];
    assert(file.includes(maker[0]?.text ?? "-") && maker[0]?.text.length === 7);
    assert.deepEqual(
      await findLeftovers(file, [...before, ...maker], { icc: true, rights: NO_RIGHTS }),
      [],
    );
    assert.match(
      (await findLeftovers(file, before, { icc: false, rights: NO_RIGHTS })).join(),
      /ICC:/,
    );
  });
});
