// Reuse of earlier results instead of new work.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { join } from "node:path";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import type { Submission } from "../../../src/services/queued-jobs/check-submission.js";
import type { User } from "../../../src/services/users/users.js";
import type { ExecuteDeps } from "../../../src/worker/execute-task.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { childTask, createWorkerScene, type WorkerScene } from "../worker-scene.js";

const files = { "a.txt": "hello", "b.txt": "there" };
const tasks = [
  childTask("print", { maxPhotos: 3 }),
  childTask("near", { maxPhotos: 3, resultVersion: null }),
];

describe("an earlier result", () => {
  let scene: WorkerScene;
  let user: User;
  let photoIds: string[];
  before(async () => {
    scene = await createWorkerScene(tasks, { maxStoredBytes: 60 });
  });
  beforeEach(async () => {
    user = await scene.core.newUser();
    photoIds = [await addPhoto()];
  });
  after(() => scene.close());

  async function addPhoto(): Promise<string> {
    const id = uuidv7();
    const [path, storageKey] = [
      join(scene.deps.storage.scratchFolder, id),
      `photos/${user.id}/${id}`,
    ];
    await writeFile(path, "bytes");
    await scene.deps.storage.put(storageKey, path);
    await scene.deps.photos.add({
      id,
      userId: user.id,
      filename: "a.jpg",
      mimeType: "image/jpeg",
      width: 3,
      height: 2,
      byteSize: 5,
      sha256: id,
      storageKey,
      previewKey: null,
      thumbhash: null,
      phash: null,
    });
    return id;
  }
  const keysOf = ({ id }: QueuedJob, attempt = 1) =>
    Object.keys(files).map((name) => `outputs/${user.id}/${id}/${attempt}/${name}`);
  const keptOf = async ({ id }: QueuedJob) =>
    (await scene.kept()).filter((key) => key.includes(id));
  const textOf = async (key: string) =>
    readFile((await scene.deps.storage.localPath(key, scene.folder)) ?? "", "utf8");
  const bytes = async () =>
    Number(
      (
        await scene.core.database
          .sql`select stored_bytes from user_streams where user_id = ${user.id}`
      )[0]?.["stored_bytes"],
    );

  /** Submits a QueuedJob and runs it to its end; `worked` is true if a child was used. */
  async function run(
    submission: Partial<Submission> = {},
    deps: Partial<ExecuteDeps> = {},
  ): Promise<{ row: QueuedJob; worked: boolean; story: string[] }> {
    let worked = false;
    const queuedJob = await scene.core.submit(user, {
      job: "print",
      photoIds,
      parameters: { files },
      ...submission,
    });
    const pool = {
      ...scene.deps.pool,
      run: (...asked: Parameters<typeof scene.deps.pool.run>) => (
        (worked = true),
        scene.deps.pool.run(...asked)
      ),
    };
    await scene.execute(queuedJob, { pool, ...deps });
    return {
      row: (await scene.find(queuedJob)) ?? queuedJob,
      worked,
      story: (await scene.history(queuedJob)).map(({ type }) => type),
    };
  }

  it("is reused without a child, through the same statuses, with its own files", async () => {
    const [first, second] = [await run(), await run()];
    assert.deepEqual([first.worked, second.worked], [true, false]);
    assert.deepEqual([first.row.reusedFrom, second.row.reusedFrom], [null, first.row.id]);
    assert.deepEqual(
      [second.story, first.story],
      [
        ["QUEUED", "STARTED", "SUCCEEDED"],
        ["QUEUED", "STARTED", "SUCCEEDED"],
      ],
    );
    const { status, result, outputs, progress, attempts, version } = first.row;
    assert.deepEqual(
      [
        second.row.status,
        second.row.result,
        second.row.outputs,
        second.row.progress,
        second.row.attempts,
        second.row.version,
      ],
      [status, result, outputs, progress, attempts, version],
    );
    assert.deepEqual(await keptOf(second.row), keysOf(second.row));
    assert.equal(await bytes(), 5 + 10 + 10, "copies count");
  });

  for (const [which, other] of [
    ["first", "second"],
    ["second", "first"],
  ] as const) {
    it(`leaves the ${other} its files when the ${which} is deleted`, async () => {
      const rows = { first: (await run()).row, second: (await run()).row };
      await scene.core.queuedJobs.remove({ ...user }, rows[which].id);
      assert.deepEqual(
        [await keptOf(rows[which]), await keptOf(rows[other])],
        [[], keysOf(rows[other])],
      );
      assert.deepEqual(await Promise.all(keysOf(rows[other]).map(textOf)), Object.values(files));
      assert.equal(await bytes(), 5 + 10);
    });
  }

  const refusals: [what: string, submission: () => Partial<Submission>][] = [
    ["that requests fresh work", () => ({ fresh: true })],
    ["of a Job whose results depend on other data", () => ({ job: "near" })],
    ["without photos", () => ({ photoIds: [] })],
  ];
  for (const [what, submission] of refusals) {
    it(`is not reused by a QueuedJob ${what}`, async () => {
      await run(submission());
      const { row, worked } = await run(submission());
      assert.deepEqual([row.status, row.reusedFrom, worked], ["SUCCESS", null, true]);
    });
  }

  it("is not reused when one of its files is gone, and the copied files are deleted", async () => {
    const { row: first } = await run();
    await scene.deps.storage.delete(keysOf(first).slice(1));
    // The new work makes files of another length, so no old file may remain.
    const { row, worked } = await run();
    assert.deepEqual(
      [row.status, row.reusedFrom, worked, await keptOf(row)],
      ["SUCCESS", null, true, keysOf(row)],
    );
    assert.deepEqual(await Promise.all(keysOf(row).map(textOf)), Object.values(files));
  });

  it("leaves no copy behind when one of its files is gone and the work fails", async () => {
    const { row: first } = await run();
    await scene.deps.storage.delete(keysOf(first).slice(1));
    const pool = { ...scene.deps.pool, run: () => Promise.reject(new Error("no")) };
    const { row } = await run({}, { pool });
    assert.deepEqual([row.status, await keptOf(row)], ["PENDING", []]);
  });

  it("is reused later while the storage is unavailable, and leaves no copy", async () => {
    await run();
    let copied = 0;
    const copy: ExecuteDeps["storage"]["copy"] = (from, to) =>
      copied++ === 0
        ? scene.deps.storage.copy(from, to)
        : Promise.reject(new ServiceUnavailableError("The storage is unavailable."));
    const { row, worked } = await run({}, { storage: { ...scene.deps.storage, copy } });
    assert.deepEqual(
      [row.status, row.error, worked, await keptOf(row)],
      ["PENDING", null, false, []],
    );
  });

  it("is dropped with its copies after a cancellation, noticed or not", async () => {
    await run();
    for (const noticed of [true, false]) {
      let copied = 0;
      const copy: ExecuteDeps["storage"]["copy"] = async (from, to) => {
        const [id = ""] = to.match(/[0-9a-f-]{36}(?=\/1\/)/) ?? [];
        // A cancellation that is noticed after the last file makes no difference.
        if (++copied === (noticed ? 1 : 2)) await scene.core.queuedJobs.cancel({ ...user }, id);
        if (noticed) scene.deps.leases.stopAll();
        return scene.deps.storage.copy(from, to);
      };
      const { row, worked, story } = await run({}, { storage: { ...scene.deps.storage, copy } });
      assert.deepEqual(
        [row.status, worked, story, copied, await keptOf(row)],
        ["CANCELLED", false, ["QUEUED", "STARTED", "CANCELLED"], noticed ? 1 : 2, []],
        `noticed: ${noticed}`,
      );
    }
  });

  it("needs room for its copies", async () => {
    for (let i = 0; i < 5; i++) await run();
    assert.equal(await bytes(), 55);
    const { row, worked } = await run();
    assert.deepEqual(
      [row.status, row.error, row.reusedFrom, worked],
      [
        "FAILED",
        {
          code: "QUOTA_EXCEEDED",
          message: "Quota exceeded: at most 60 bytes of photos and outputs per user; delete some.",
        },
        null,
        false,
      ],
    );
    assert.deepEqual([await keptOf(row), await bytes()], [[], 55]);
  });

  it("fails permanently without room: its outputs are deleted and it is not retried", async () => {
    for (let i = 0; i < 5; i++) await run({ fresh: true });
    const { row, story } = await run({ fresh: true });
    assert.deepEqual(
      [row.status, row.error?.code, story, await keptOf(row)],
      ["FAILED", "QUOTA_EXCEEDED", ["QUEUED", "STARTED", "FAILED"], []],
    );
    await scene.core.queuedJobs.removeMany(user.id, { statuses: ["SUCCESS"], jobs: null });
    await scene.core.queuedJobs.retry({ ...user }, row.id);
    await scene.execute(row);
    assert.deepEqual(
      [(await scene.find(row))?.status, await keptOf(row)],
      ["SUCCESS", keysOf(row, 2)],
    );
  });

  it("leaves consistent counters, numbers and events", () =>
    assertConsistent(scene.core.database.sql));
});
