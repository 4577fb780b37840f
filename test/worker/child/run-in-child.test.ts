// The input of a task in a child, and the handling of its response.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import { SlowDownloadError } from "../../../src/photos/storage.js";
import type { User } from "../../../src/services/users/users.js";
import { addPhotoTo } from "../add-photo.js";
import { childTask, createWorkerScene, testTask, type WorkerScene } from "../worker-scene.js";

const tasks = [
  testTask("on photos", () => null, { runsIn: "child", minPhotos: 1, maxPhotos: 3 }),
  childTask("with schemas", {
    parameters: z.object({
      files: z.record(z.string(), z.string()).default({ made: "by default" }),
    }),
    result: z.strictObject({ attempt: z.int() }),
  }),
  childTask("plain"),
  childTask("with another result", { result: z.object({ other: z.string() }) }),
];

describe("a task in a child", () => {
  let scene: WorkerScene;
  let user: User;
  before(async () => {
    scene = await createWorkerScene(tasks);
    user = await scene.core.newUser();
  });
  after(() => scene.close());

  const addPhoto = (mimeType?: string) => addPhotoTo(scene, user, mimeType);

  it("gets its parameters with defaults, and its result is validated", async () => {
    const queuedJob = await scene.core.submit(user, { job: "with schemas" });
    await scene.core.database
      .sql`update queued_jobs set parameters = '{}' where id = ${queuedJob.id}`;
    await scene.execute(queuedJob);
    const row = await scene.find(queuedJob);
    assert.deepEqual(
      [row?.result, row?.outputs?.map(({ name }) => name)],
      [{ attempt: 1 }, ["made"]],
    );
  });

  it("fails without a trace when its parameters or result break its schemas", async () => {
    const kept = await scene.kept();
    const wrongly = await scene.core.submit(user, { job: "with schemas" });
    await scene.core.database
      .sql`update queued_jobs set parameters = '{ "files": 1 }' where id = ${wrongly.id}`;
    const made = await scene.core.submit(user, {
      job: "with another result",
      parameters: { files: { made: "for nothing" } },
    });
    for (const queuedJob of [wrongly, made]) {
      await scene.execute(queuedJob);
      assert.deepEqual((await scene.find(queuedJob))?.error, {
        code: "TASK_FAILED",
        message: "The task failed unexpectedly.",
      });
    }
    assert.deepEqual(await scene.kept(), kept);
  });

  describe("in a compromised child", () => {
    const output = { name: "a.png", mimeType: "image/png", byteSize: 1, width: 1, height: 1 };
    const DIED =
      "The photo cannot be processed: the decoder stopped at it. Upload the original file again.";
    const lies: [what: string, parameters: Record<string, unknown>][] = [
      [
        "names a file of another folder",
        { outputs: [{ ...output, name: "../../../../photos/victim" }] },
      ],
      ["returns a page as a picture", { outputs: [{ ...output, mimeType: "text/html" }] }],
      ["returns a picture without a size", { outputs: [{ ...output, width: 0 }] }],
      [
        "returns more outputs than any task makes",
        { outputs: Array.from({ length: 13 }, (_, i) => ({ ...output, name: `${i}.png` })) },
      ],
      ["returns two outputs of one name", { outputs: [output, output] }],
      ["returns no list of outputs", { outputs: "all" }],
      [
        "sends something that is not a message",
        { say: { type: "progress", id: 1, fraction: 0.5, message: { length: 5 } }, hang: true },
      ],
      ["sends an unknown message", { say: "anything", hang: true }],
    ];
    for (const [what, parameters] of lies) {
      it(`fails and is killed when it ${what}`, async () => {
        const kept = await scene.kept();
        const queuedJob = await scene.core.submit(user, {
          job: "plain",
          parameters: { files: { "a.png": "a" }, ...parameters },
        });
        await scene.execute(queuedJob);
        assert.deepEqual((await scene.find(queuedJob))?.error, {
          code: "PHOTO_UNREADABLE",
          message: DIED,
        });
        assert.deepEqual(await scene.kept(), kept);
      });
    }

    it("reports output sizes that are measured again", async () => {
      const queuedJob = await scene.core.submit(user, {
        job: "plain",
        parameters: {
          files: { "a.png": "twelve bytes" },
          outputs: [{ ...output, byteSize: -1e12 }],
        },
      });
      await scene.execute(queuedJob);
      assert.deepEqual(
        (await scene.find(queuedJob))?.outputs?.map(({ byteSize }) => byteSize),
        [12],
      );
    });

    it("may not return a link as an output", async () => {
      const [kept, secret] = [await scene.kept(), join(scene.folder, "secret")];
      await writeFile(secret, "secret");
      const queuedJob = await scene.core.submit(user, {
        job: "plain",
        parameters: { links: { "a.png": secret }, outputs: [output] },
      });
      await scene.execute(queuedJob);
      assert.deepEqual(
        [(await scene.find(queuedJob))?.error?.code, await scene.kept()],
        ["TASK_FAILED", kept],
      );
      assert.equal(await readFile(secret, "utf8"), "secret");
    });
  });

  it("gets its photos, in order, as local files", async () => {
    const photos = [await addPhoto(), await addPhoto(), await addPhoto()].toReversed();
    const queuedJob = await scene.core.submit(user, {
      job: "on photos",
      photoIds: photos.map(({ id }) => id),
    });
    let given: unknown;
    const pool = {
      ...scene.deps.pool,
      run: async (request: unknown) => ((given = request), { result: null, outputs: [] }),
    };
    await scene.execute(queuedJob, { pool });
    const { photos: files } = given as {
      photos: { id: string; path: string; filename: string; width: number; sha256: string }[];
    };
    assert.deepEqual(
      files.map(({ id, filename, width, sha256 }) => [id, filename, width, sha256]),
      photos.map(({ id }) => [id, `${id}.jpg`, 3, id]),
    );
    assert.deepEqual(
      files.map(({ path }) => path),
      await Promise.all(
        photos.map(({ storageKey }) => scene.deps.storage.localPath(storageKey, scene.folder)),
      ),
    );
  });

  it("fails permanently when a photo or its bytes are gone", async () => {
    const [gone, empty] = [await addPhoto(), await addPhoto()];
    const first = await scene.core.submit(user, { job: "on photos", photoIds: [gone.id] });
    const second = await scene.core.submit(user, { job: "on photos", photoIds: [empty.id] });
    await scene.core.database.sql`delete from photos where id = ${gone.id}`;
    await scene.deps.storage.delete([empty.storageKey]);
    for (const [queuedJob, message] of [
      [first, "A photo of this QueuedJob was deleted: upload it again and submit a new QueuedJob."],
      [
        second,
        "The bytes of a photo are missing in the storage: delete the photo and upload it again.",
      ],
    ] as const) {
      await scene.execute(queuedJob);
      const row = await scene.find(queuedJob);
      assert.deepEqual(
        [row?.status, row?.error],
        ["FAILED", { code: "PHOTO_UNREADABLE", message }],
      );
    }
  });

  it("counts a photo that never arrives in time as a failed attempt", async () => {
    const photo = await addPhoto();
    const queuedJob = await scene.core.submit(user, { job: "on photos", photoIds: [photo.id] });
    const localPath = () => Promise.reject(new SlowDownloadError("It was late."));
    for (const status of ["PENDING", "PENDING", "FAILED"]) {
      await scene.core.database
        .sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
      await scene.execute(queuedJob, { storage: { ...scene.deps.storage, localPath } });
      const row = await scene.find(queuedJob);
      assert.deepEqual(
        [row?.status, row?.error],
        [status, { code: "TIMEOUT", message: "A photo did not arrive from the storage in time." }],
      );
    }
  });

  it("refuses only HEIC photos, and permanently, after HEIC was disabled", async () => {
    const [heic, jpeg] = [await addPhoto("image/heic"), await addPhoto()];
    const [refused, done] = [
      await scene.core.submit(user, { job: "on photos", photoIds: [jpeg.id, heic.id] }),
      await scene.core.submit(user, { job: "on photos", photoIds: [jpeg.id] }),
    ];
    for (const queuedJob of [refused, done]) await scene.execute(queuedJob, { acceptHeic: false });
    const row = await scene.find(refused);
    assert.deepEqual(
      [row?.status, row?.error],
      [
        "FAILED",
        {
          code: "PHOTO_UNREADABLE",
          message:
            "HEIC photos are not accepted here. Upload it as JPEG, PNG, WebP, GIF, TIFF or AVIF.",
        },
      ],
    );
    assert.equal((await scene.find(done))?.status, "SUCCESS");
  });
});
