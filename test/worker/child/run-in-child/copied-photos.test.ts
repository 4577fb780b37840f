// A task that copies its photos gets them one by one, when it asks.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, beforeEach, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../../src/domain/errors.js";
import { SlowDownloadError } from "../../../../src/photos/storage.js";
import { createPhotos, type Photo } from "../../../../src/services/photos/photos.js";
import type { User } from "../../../../src/services/users/users.js";
import type { ExecuteDeps } from "../../../../src/worker/execute-task.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { addPhotoTo } from "../../add-photo.js";
import { childTask, createWorkerScene, type WorkerScene } from "../../worker-scene.js";

describe("a task that copies its photos", () => {
  let scene: WorkerScene;
  let user: User;
  let photos: [Photo, Photo];
  before(async () => {
    scene = await createWorkerScene([childTask("copies", { copiesPhotos: true, maxPhotos: 9 })]);
    user = await scene.core.newUser();
    photos = [await addPhotoTo(scene, user), await addPhotoTo(scene, user)];
  });
  after(() => scene.close());
  const leftovers = async () =>
    (await readdir(scene.deps.storage.scratchFolder)).filter((name) => !name.startsWith("p-"));
  beforeEach(async () => assert.deepEqual(await leftovers(), []));

  async function run(argument: unknown, deps: Partial<ExecuteDeps> = {}) {
    const queuedJob = await scene.core.submit(user, {
      job: "copies",
      photoIds: photos.map(({ id }) => id),
      parameters: { ask: { name: "fetchPhoto", argument } },
      fresh: true,
    });
    await scene.execute(queuedJob, deps);
    const { status, result, error } = (await scene.find(queuedJob)) ?? assert.fail("no row");
    return { status, result, error };
  }

  const withLocalPath = (localPath: ExecuteDeps["storage"]["localPath"]) => ({
    storage: { ...scene.deps.storage, localPath },
  });

  it("gets the path of a photo when it asks for it, and none before", async () => {
    const { deps } = scene;
    let given: { photos: { path: string; createdAt: string }[] } | undefined;
    const pool: typeof deps.pool = {
      ...deps.pool,
      run: async (request, options) => {
        given = request as typeof given;
        return { result: await options.onAsk?.("fetchPhoto", { index: 1 }), outputs: [] };
      },
    };
    assert.equal(
      (await run({ index: 1 }, { pool })).result,
      await deps.storage.localPath(photos[1].storageKey, scene.folder),
    );
    assert.deepEqual(
      given?.photos.map(({ path, createdAt }) => [path, createdAt]),
      photos.map(({ createdAt }) => ["", createdAt.toISOString()]),
    );
  });

  it("cannot ask for another photo", async () => {
    for (const argument of [{ index: 2 }, { index: -1 }, { index: "0" }, null])
      assert.equal((await run(argument)).error?.code, "TASK_FAILED", JSON.stringify(argument));
  });

  it("is handed back while the storage is unavailable, and fails when a photo is missing", async () => {
    const away = () => Promise.reject(new ServiceUnavailableError("The storage is unavailable."));
    assert.deepEqual(await run({ index: 0 }, withLocalPath(away)), {
      status: "PENDING",
      result: null,
      error: null,
    });
    const missing = await run(
      { index: 0 },
      withLocalPath(async () => null),
    );
    assert.deepEqual([missing.status, missing.error?.code], ["FAILED", "PHOTO_UNREADABLE"]);
    const slow = () => Promise.reject(new SlowDownloadError("It took too long."));
    assert.deepEqual((await run({ index: 0 }, withLocalPath(slow))).error, {
      code: "TIMEOUT",
      message: "A photo did not arrive from the storage in time.",
    });
  });

  it("fails before it starts when the copies would exceed the owner's quota", async () => {
    const { database } = scene.core;
    const pool = { ...scene.deps.pool, run: () => assert.fail("it was started") };
    // The two photos have five bytes each.
    const enough = {
      database,
      bus: scene.core.bus,
      deleteFiles: async () => {},
      maxStoredBytes: 20,
      maxRecordedBytes: 1e9,
      log: silentLog,
    };
    const allowed = await run({ index: 0 }, { photos: createPhotos(enough) });
    assert.equal(allowed.status, "SUCCESS");
    const refused = await run(
      { index: 0 },
      { pool, photos: createPhotos({ ...enough, maxStoredBytes: 19 }) },
    );
    assert.deepEqual([refused.status, refused.error?.code], ["FAILED", "QUOTA_EXCEEDED"]);
  });
});
