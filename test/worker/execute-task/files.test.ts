// The files of an attempt.
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import { createLeases } from "../../../src/worker/leases.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createAttemptScene, type AttemptScene } from "./attempt-scene.js";

describe("an attempt with files", () => {
  let scene: AttemptScene;
  before(async () => {
    scene = await createAttemptScene();
  });
  after(() => scene.close());

  const files = { "a.txt": "hello", "b.txt": "there" };
  const keysOf = ({ id }: QueuedJob, attempt: number) =>
    Object.keys(files).map((name) => `outputs/${scene.user.id}/${id}/${attempt}/${name}`);
  const keptOf = async ({ id }: QueuedJob) =>
    (await scene.kept()).filter((key) => key.includes(id));

  it("stores them under its own number", async () => {
    const queuedJob = await scene.submit("child", { files });
    await scene.execute(queuedJob);
    assert.deepEqual(await keptOf(queuedJob), keysOf(queuedJob, 1));
    assert.deepEqual(
      (await scene.find(queuedJob))?.outputs?.map(({ name, byteSize }) => [name, byteSize]),
      [
        ["a.txt", 5],
        ["b.txt", 5],
      ],
    );
  });

  it("deletes them when it ends too late", async () => {
    const leases = createLeases({
      queuedJobs: scene.core.queuedJobs,
      worker: "test-worker",
      log: silentLog,
    });
    const queuedJob = await scene.submit("child", { files, waitFor: join(scene.folder, "late") });
    const running = scene.execute(queuedJob, { leases });
    await eventually("it runs", async () => (await scene.find(queuedJob))?.status === "STARTED");
    await scene.core.queuedJobs.cancel(scene.user, queuedJob.id);
    await writeFile(join(scene.folder, "late"), "");
    await running;
    leases.close();
    assert.deepEqual(
      [await keptOf(queuedJob), (await scene.find(queuedJob))?.status],
      [[], "CANCELLED"],
    );
  });

  it("keeps them when its success was recorded and only the answer was lost", async () => {
    const queuedJob = await scene.submit("child", { files });
    let tries = 0;
    const succeed: typeof scene.core.queuedJobs.succeed = async (...asked) => {
      const done = await scene.core.queuedJobs.succeed(...asked);
      if (tries++ === 0) throw new ServiceUnavailableError("The answer was lost.");
      return done;
    };
    await scene.execute(queuedJob, { queuedJobs: { ...scene.core.queuedJobs, succeed } });
    assert.deepEqual(
      [tries, await keptOf(queuedJob), await scene.storyOf(queuedJob)],
      [2, keysOf(queuedJob, 1), ["QUEUED", "STARTED", "SUCCEEDED"]],
    );
  });

  it("records its success after several tries while the database is unavailable", async () => {
    const queuedJob = await scene.submit("child", { files });
    let tries = 0;
    const succeed: typeof scene.core.queuedJobs.succeed = async (...asked) => {
      if (tries++ < 2)
        throw new ServiceUnavailableError("The database is unavailable; try again in a moment.");
      return scene.core.queuedJobs.succeed(...asked);
    };
    await scene.execute(queuedJob, { queuedJobs: { ...scene.core.queuedJobs, succeed } });
    assert.deepEqual([tries, (await scene.find(queuedJob))?.status], [3, "SUCCESS"]);
  });

  it("leaves nothing in the scratch folder after any outcome", async () => {
    assert.deepEqual(await readdir(scene.deps.storage.scratchFolder), []);
  });
});
