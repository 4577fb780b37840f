import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { archive } from "../../src/tasks/archive/task.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { readZip } from "./archive/read-zip.js";
import { runTask } from "./run-task.js";

const folder = temporaryFolder();
const NO_UNZIP = spawnSync("unzip", ["-v"]).status === 0 ? false : "unzip is not installed";

async function archiveOf(
  photos: Record<string, string | Buffer>,
  more: Parameters<typeof runTask>[4] = {},
  signal?: AbortSignal,
) {
  const paths = Object.values(photos).map((bytes) => folder.write(Buffer.from(bytes)));
  const names = Object.keys(photos).map((filename) => ({ filename }));
  const taskRun = await runTask(archive, paths, {}, signal, { photos: names, ...more });
  return { ...taskRun, file: taskRun.files.get("photos.zip") ?? assert.fail("no archive") };
}

describe("archive parameters", () => {
  it("include the originals by default, for 1 to 500 photos", () => {
    assert.deepEqual(archive.parameters.parse({}), { includeOriginals: true });
    assert.deepEqual([archive.minPhotos, archive.maxPhotos], [1, 500]);
  });

  it("are rejected when the archive would be empty", () => {
    const { error } = archive.parameters.safeParse({ includeOriginals: false });
    assert.deepEqual(
      error?.issues.map(({ path, message }) => [path, message]),
      [[["includeOriginals"], "must be true: without the originals, the archive is empty"]],
    );
  });
});

describe("an archive", () => {
  it("contains each photo unchanged, in the given order, with its name and time", async () => {
    const { result, outputs, file } = await archiveOf({
      "b.jpg": "bytes of b",
      "Füße.png": Buffer.alloc(300_000, "a"),
      "../b.jpg": "",
    });
    assert.deepEqual(result, { files: 3, byteSize: file.length });
    assert.deepEqual(outputs, [
      {
        name: "photos.zip",
        mimeType: "application/zip",
        byteSize: file.length,
        width: null,
        height: null,
      },
    ]);
    const entries = readZip(file);
    assert.deepEqual(
      entries.map(({ name, method, flags, mode, bytes }) => [
        name,
        method,
        (flags >> 11) & 1,
        mode,
        bytes.length,
      ]),
      [
        ["b.jpg", 0, 1, 0o100644, 10],
        ["Füße.png", 0, 1, 0o100644, 300_000],
        ["_b.jpg", 0, 1, 0o100644, 0],
      ],
    );
    assert.equal(entries[0]?.bytes.toString(), "bytes of b");
    for (const { modifiedAt } of entries)
      assert.equal(modifiedAt.toISOString(), "2026-11-24T13:26:23.000Z");
  });

  it("is the same file for the same photos", async () => {
    const photos = { "a.jpg": "a", "b.jpg": "b" };
    const [first, second] = [await archiveOf(photos), await archiveOf(photos)];
    assert.deepEqual(first.file, second.file);
  });

  it("is unpacked by unzip", { skip: NO_UNZIP }, async () => {
    const { file } = await archiveOf({ "a.jpg": "bytes of a", "A.jpg": Buffer.alloc(100_000) });
    const path = folder.write(file);
    assert.match(execFileSync("unzip", ["-t", path], { encoding: "utf8" }), /No errors detected/);
    assert.equal(execFileSync("unzip", ["-p", path, "a.jpg"], { encoding: "utf8" }), "bytes of a");
  });

  it("is made of photos that are fetched one after the other", async () => {
    const asked: string[] = [];
    const { steps } = await archiveOf(
      { "a.jpg": Buffer.alloc(600_000), "b.jpg": Buffer.alloc(400_000) },
      {
        fetchPhoto: async ({ path, filename }) => {
          asked.push(filename);
          return path;
        },
      },
    );
    assert.deepEqual(asked, ["a.jpg", "b.jpg"]);
    assert.deepEqual(steps.at(-1), [0.8, "adding photo 2 of 2"]);
    const fractions = steps.map(([fraction]) => fraction);
    assert.deepEqual(fractions, fractions.toSorted());
  });

  it("fails when a photo cannot be fetched or has another size than its row", async () => {
    const photos = { "a.jpg": "a", "b.jpg": "b" };
    await assert.rejects(
      archiveOf(photos, { fetchPhoto: () => Promise.reject(new Error("away")) }),
      { message: "away" },
    );
    await assert.rejects(archiveOf(photos, { photo: { byteSize: 2 } }), /bytes/);
    await assert.rejects(archiveOf(photos, { photo: { path: "/nowhere" } }), { code: "ENOENT" });
  });

  it("is refused when it would have more than 2 GiB", async () => {
    await assert.rejects(
      archiveOf({ "a.jpg": "a", "b.jpg": "b" }, { photo: { byteSize: 2 ** 30 } }),
      {
        code: "ARCHIVE_TOO_LARGE",
        message:
          "The photos have 2.0 GiB; an archive may have at most 2 GiB. Submit several archives " +
          "of fewer photos.",
      },
    );
  });

  it("stops in the middle of a photo when it is aborted", async () => {
    const stop = new AbortController();
    await assert.rejects(
      archiveOf(
        { "a.jpg": Buffer.alloc(3_000_000), "b.jpg": "b" },
        {
          fetchPhoto: async ({ path, filename }) => {
            assert.equal(filename, "a.jpg");
            setImmediate(() => stop.abort());
            return path;
          },
        },
        stop.signal,
      ),
      { name: "AbortError" },
    );
    await assert.rejects(archiveOf({ "a.jpg": "a" }, {}, AbortSignal.abort()), {
      name: "AbortError",
    });
  });
});
