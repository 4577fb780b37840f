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
  it("returns the hash of the bytes, the hash of the picture, and the duplicates", async () => {
    const path = folder.write(await picture());
    const queries: unknown[] = [];
    const photos = [{ photoId: "p2", distance: 1 }];
    const { result, steps } = await runTask(hash, path, { maxDistance: 9 }, undefined, {
      findNearPhotos: async (query) => (queries.push(query), { photos, cut: false }),
    });
    assert.equal(
      result.sha256,
      execFileSync("sha256sum", [path], { encoding: "utf8" }).slice(0, 64),
    );
    assert.match(result.phash ?? "", /^[0-7][0-9a-f]{15}$/);
    assert.deepEqual([result.duplicates, result.warnings], [photos, undefined]);
    assert.deepEqual(queries, [{ phash: result.phash, maxDistance: 9 }]);
    assert.deepEqual(steps, [
      [0, "decoding"],
      [0.5, "looking for duplicates"],
      [1, "done"],
    ]);
  });

  it("prefers the stored hash of the photo", async () => {
    const { result } = await runTask(hash, folder.write(await picture()), {}, undefined, {
      photo: { phash: "0123456789abcdef" },
    });
    assert.equal(result.phash, "0123456789abcdef");
  });

  it("is null for a flat picture, and no search happens", async () => {
    for (const background of ["#ffffff", "#000000", "#7a8899"]) {
      const bytes = await sharp({ create: { width: 300, height: 200, channels: 3, background } })
        .jpeg()
        .toBuffer();
      const { result } = await runTask(hash, folder.write(bytes), {}, undefined, {
        findNearPhotos: () => assert.fail("a search happened"),
      });
      assert.deepEqual([result.phash, result.duplicates], [null, []]);
    }
  });

  it("warns when more duplicates exist, and returns the decoder's warnings", async () => {
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
      "only the nearest 1 duplicates are listed; there are more",
    ]);
  });

  it("accepts only distances of 0 to 16", () => {
    assert.deepEqual(hash.parameters.parse({}), { maxDistance: 6 });
    for (const input of [
      { maxDistance: -1 },
      { maxDistance: 17 },
      { maxDistance: 0.5 },
      { distance: 3 },
    ])
      assert.equal(hash.parameters.safeParse(input).success, false, JSON.stringify(input));
  });

  it("rejects other files, and stops when it is aborted", async () => {
    await assert.rejects(
      runTask(hash, folder.write("%PDF-1.7"), {}),
      (error) => error instanceof PhotoUnreadableError && /PDF/.test(error.message),
    );
    await assert.rejects(runTask(hash, folder.write(await picture()), {}, AbortSignal.abort()), {
      name: "AbortError",
    });
  });
});
