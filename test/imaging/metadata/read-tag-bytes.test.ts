import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { photoFactsOf, readPhotoFacts } from "../../../src/imaging/metadata/photo-facts.js";
import { readPhotoTags } from "../../../src/imaging/metadata/read-photo-tags.js";
import { readTagBytes } from "../../../src/imaging/metadata/read-tag-bytes.js";
import { noise } from "../noise.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();
const picture = (side = 32) =>
  noise(side, side).withExif({
    IFD0: { Make: "Canon", Model: "EOS" },
    IFD2: { DateTimeOriginal: "2024:05:06 07:08:09" },
    IFD3: {
      GPSLatitudeRef: "S",
      GPSLatitude: "41/1 30/1 0/1",
      GPSLongitudeRef: "E",
      GPSLongitude: "174/1 0/1 0/1",
    },
  });

describe("the bytes of a photo's tags", () => {
  for (const format of ["jpeg", "png", "webp", "avif"] as const)
    it(`give the same facts as the whole ${format}`, async () => {
      const path = folder.write(await picture().toFormat(format).toBuffer());
      const facts = await readPhotoFacts(path, format);
      assert.deepEqual(facts, photoFactsOf(await readPhotoTags(readFileSync(path))));
      assert.deepEqual(
        [facts.camera, facts.takenAt, facts.location?.latitude],
        ["Canon EOS", "2024-05-06T07:08:09", -41.5],
      );
    });

  for (const format of ["jpeg", "png", "webp"] as const)
    it(`are without the picture of a ${format}, and what follows it`, async () => {
      const file = await picture(200).toFormat(format, { quality: 100 }).toBuffer();
      const bytes = readTagBytes(folder.write(file), format);
      assert.ok(file.length > 20_000 && bytes.length < 2000, `${bytes.length} bytes`);
      const longer = Buffer.concat([file, Buffer.alloc(1_000_000)]);
      assert.deepEqual(readTagBytes(folder.write(longer), format), bytes);
    });

  it("are found behind the picture of a PNG, but not behind any number of parts", async () => {
    const file = await picture().png().toBuffer();
    const end = file.length - 12;
    const at = file.indexOf("eXIf") - 4;
    const behind = at + 12 + file.readUInt32BE(at);
    const late = (parts: number) =>
      Buffer.concat([
        file.subarray(0, at),
        file.subarray(behind, end),
        Buffer.alloc(12 * parts),
        file.subarray(at, behind),
        file.subarray(end),
      ]);
    for (const [parts, camera] of [
      [0, "Canon EOS"],
      [20_000, null],
    ] as const)
      assert.equal((await readPhotoFacts(folder.write(late(parts)), "png")).camera, camera);
  });

  it("are none in a file that is cut or has none", async () => {
    const jpeg = await picture().jpeg().toBuffer();
    for (const length of [0, 1, 2, 5, 30, 200])
      assert.equal(
        (await readPhotoFacts(folder.write(jpeg.subarray(0, length)), "jpeg")).lens,
        null,
      );
    const gif = folder.write(await noise(4, 4).gif().toBuffer());
    assert.equal((await readPhotoFacts(gif, "gif")).takenAt, null);
  });
});
