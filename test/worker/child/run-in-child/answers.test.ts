import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../../src/domain/errors.js";
import type { NearPhotos } from "../../../../src/services/reads/near-photos.js";
import { createTaskAnswers } from "../../../../src/worker/child/run-in-child.js";
import { childTask, createWorkerScene, type WorkerScene } from "../../worker-scene.js";

const QUERY = { phash: "00ff00ff00ff00ff", maxDistance: 6 };

function answersOf(find: NearPhotos["find"]) {
  return createTaskAnswers(
    { nearPhotos: { find } },
    { userId: "ann", photos: [{ id: "p1" }], files: null },
  );
}

describe("a call of a task in a child", () => {
  it("is answered for the attempt's owner, whatever the arguments say", async () => {
    const asked: unknown[] = [];
    const answer = answersOf(async (query) => (asked.push(query), { photos: [], cut: false }));
    assert.deepEqual(await answer("findNearPhotos", QUERY), { photos: [], cut: false });
    assert.deepEqual(asked, [{ ...QUERY, userId: "ann", exceptIds: ["p1"] }]);
    await assert.rejects(answer("findNearPhotos", { ...QUERY, userId: "bob" }), {
      name: "ZodError",
    });
  });

  it("is refused for any other name and for arguments out of range", async () => {
    const answer = answersOf(() => assert.fail("it was looked for"));
    await assert.rejects(answer("deleteEverything", {}), {
      message: 'A task may not call "deleteEverything": it may only call findNearPhotos.',
    });
    for (const wrong of [
      { ...QUERY, phash: "0" },
      { ...QUERY, phash: "00ff00ff00ff00f'" },
      { ...QUERY, maxDistance: 65 },
      { ...QUERY, maxDistance: -1 },
      { ...QUERY, maxDistance: 1.5 },
      null,
      "x",
    ]) {
      await assert.rejects(
        answer("findNearPhotos", wrong),
        { name: "ZodError" },
        JSON.stringify(wrong),
      );
    }
  });

  it("must end before the next one", async () => {
    let finish: (list: { photos: []; cut: boolean }) => void = () => {};
    const answer = answersOf(() => new Promise((resolve) => (finish = resolve)));
    const first = answer("findNearPhotos", QUERY);
    await assert.rejects(answer("findNearPhotos", QUERY), {
      message: "A task may make one call at a time: wait for the answer of the previous one.",
    });
    finish({ photos: [], cut: false });
    await first;
    const next = answer("findNearPhotos", QUERY);
    finish({ photos: [], cut: true });
    assert.deepEqual(await next, { photos: [], cut: true });
  });
});

describe("an attempt that makes a call", () => {
  let scene: WorkerScene;
  before(async () => {
    scene = await createWorkerScene([childTask("asks")]);
  });
  after(() => scene.close());
  const submit = async () =>
    scene.core.submit(await scene.core.newUser(), {
      job: "asks",
      parameters: { ask: { name: "findNearPhotos", argument: QUERY } },
    });

  it("is answered by its worker for its owner", async () => {
    const queuedJob = await submit();
    const asked: unknown[] = [];
    const photos = [{ photoId: "p2", distance: 3 }];
    await scene.execute(queuedJob, {
      nearPhotos: { find: async (query) => (asked.push(query), { photos, cut: false }) },
    });
    assert.deepEqual(asked, [{ ...QUERY, userId: queuedJob.userId, exceptIds: [] }]);
    const row = await scene.find(queuedJob);
    assert.deepEqual([row?.status, row?.result], ["SUCCESS", { photos, cut: false }]);
  });

  it("is handed back, not failed, when the database is unavailable during the call", async () => {
    const queuedJob = await submit();
    await scene.execute(queuedJob, {
      nearPhotos: {
        find: () => Promise.reject(new ServiceUnavailableError("The database is unavailable.")),
      },
    });
    const row = await scene.find(queuedJob);
    assert.deepEqual([row?.status, row?.error, row?.attempts], ["PENDING", null, 1]);
    const [{ failures } = { failures: -1 }] = await scene.core.database.sql<
      { failures: number }[]
    >`select failures from queued_jobs where id = ${queuedJob.id}`;
    assert.equal(failures, 0);
  });
});
