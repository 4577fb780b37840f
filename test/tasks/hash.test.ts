import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { hash } from "../../src/tasks/hash/task.js";
import { makeGif } from "../imaging/make-gif.js";
import { noise } from "../imaging/noise.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runTask } from "./run-task.js";

const folder = temporaryFolder();
const picture = () => noise(60, 40).jpeg().toBuffer();

describe("hash", () => {
  it("tells the hash of the bytes, of the picture, and what looks alike", async () => {
    const path = folder.write(await picture());
    const asked: unknown[] = [];
    const photos = [{ photoId: "p2", distance: 1 }];
    const { result, steps } = await runTask(hash, path, { maxDistance: 9 }, undefined, {
      findNearPhotos: async (query) => (asked.push(query), { photos, cut: false }),
    });
    assert.equal(
      result.sha256,
      execFileSync("sha256sum", [path], { encoding: "utf8" }).slice(0, 64),
    );
    assert.match(result.phash ?? "", /^[0-7][0-9a-f]{15}$/);
    assert.deepEqual([result.duplicates, result.warnings], [photos, undefined]);
    assert.deepEqual(asked, [{ phash: result.phash, maxDistance: 9 }]);
    assert.deepEqual(steps, [
      [0, "decoding"],
      [0.5, "looking for duplicates"],
      [1, "done"],
    ]);
  });

  it("goes by the hash that the photo is found by itself, where it has one", async () => {
    const { result } = await runTask(hash, folder.write(await picture()), {}, undefined, {
      photo: { phash: "0123456789abcdef" },
    });
    assert.equal(result.phash, "0123456789abcdef");
  });

  it("is null for a flat picture, and nothing is looked for", async () => {
    for (const background of ["#ffffff", "#000000", "#7a8899"]) {
      const bytes = await sharp({ create: { width: 300, height: 200, channels: 3, background } })
        .jpeg()
        .toBuffer();
      const { result } = await runTask(hash, folder.write(bytes), {}, undefined, {
        findNearPhotos: () => assert.fail("it was looked for"),
      });
      assert.deepEqual([result.phash, result.duplicates], [null, []]);
    }
  });

  it("says when there are more duplicates than it lists, and how the photo was read", async () => {
    const more = {
      findNearPhotos: async () => ({ photos: [{ photoId: "p2", distance: 0 }], cut: true }),
      photo: { phash: "0123456789abcdef" },
    };
    const { result } = await runTask(
      hash,
      folder.write(
        makeGif([
          [9, 9, 9],
          [200, 0, 0],
        ]),
      ),
      {},
      undefined,
      more,
    );
    assert.deepEqual(result.warnings, [
      "first frame of an animation",
      "there are more duplicates than the nearest 1, which are listed",
    ]);
  });

  it("takes distances of 0 to 16 and nothing else", () => {
    assert.deepEqual(hash.parameters.parse({}), { maxDistance: 6 });
    for (const given of [
      { maxDistance: -1 },
      { maxDistance: 17 },
      { maxDistance: 0.5 },
      { distance: 3 },
    ])
      assert.equal(hash.parameters.safeParse(given).success, false, JSON.stringify(given));
  });

  it("refuses what is no photo, and stops when told to", async () => {
    await assert.rejects(
      runTask(hash, folder.write("%PDF-1.7"), {}),
      (error) => error instanceof PhotoUnreadableError && /PDF/.test(error.message),
    );
    await assert.rejects(runTask(hash, folder.write(await picture()), {}, AbortSignal.abort()), {
      name: "AbortError",
    });
  });
});
