import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "node:test";
import type { Storage } from "../../src/photos/storage.js";
import { eventually } from "../support/runner/eventually.js";
import { childTask, testTask } from "./worker-scene.js";
import { createTaskWorkerScene, type TaskWorkerScene } from "./task-worker/task-worker-scene.js";

let inside = 0;
let most = 0;
const crowded = testTask("crowded", async () => {
  most = Math.max(most, ++inside);
  await eventually("as many run together as may", () => most >= 3);
  await wait(20);
  inside--;
  return null;
});
const obedient = testTask("obedient", ({ signal }) => wait(60_000, undefined, { signal }));

describe("a worker", () => {
  let scene: TaskWorkerScene;
  before(async () => {
    scene = await createTaskWorkerScene([crowded, obedient, childTask("child")]);
  });
  afterEach(() => scene.closeOpened());
  after(() => scene.close());

  it("turns the hints of both lanes into attempts, and leaves no hint behind", async () => {
    const worker = scene.open();
    const both = [await scene.submit("echo"), await scene.submit("child")];
    await eventually("both are done", async () =>
      (await Promise.all(both.map(scene.statusOf))).every((status) => status === "SUCCESS"),
    );
    await worker.close();
    assert.deepEqual([await scene.hints("worker"), await scene.hints("child")], [0, 0]);
  });

  it("runs at most its maximum number of tasks at once", async () => {
    const worker = scene.open({ tasks: 3, children: 1 });
    const many = (
      await Promise.all(
        [scene.user, scene.other].map((one) => scene.core.submitMany(one, 8, { job: "crowded" })),
      )
    ).flat();
    await eventually("all are done", async () =>
      (await Promise.all(many.map(scene.statusOf))).every((status) => status === "SUCCESS"),
    );
    await worker.close();
    assert.equal(most, 3);
  });

  it("claims the next photo job only when a child is nearly done", async () => {
    const worker = scene.open({ children: 1 });
    const waitFor = join(scene.folder, "go");
    const halfway = await scene.submit("child", { progress: 0.5, waitFor });
    await eventually("it is halfway", async () => (await scene.find(halfway))?.progress === 0.5);
    const nearly = await scene.submit("child", { progress: 0.9, waitFor: `${waitFor} on` });
    const next = await scene.submit("child");
    await eventually("their hints are there", async () => (await scene.hints("child")) === 3);
    assert.deepEqual([await scene.statusOf(nearly), worker.restingMs("child")], ["PENDING", 0]);
    await writeFile(waitFor, "");
    await eventually("it is nearly done", async () => (await scene.find(nearly))?.progress === 0.9);
    await eventually("the next is claimed", async () => (await scene.statusOf(next)) !== "PENDING");
    assert.equal(await scene.statusOf(nearly), "STARTED");
    await writeFile(`${waitFor} on`, "");
    await eventually("all are done", async () =>
      (await Promise.all([halfway, nearly, next].map(scene.statusOf))).every(
        (status) => status === "SUCCESS",
      ),
    );
    await worker.close();
  });

  it("gives a child the next task while earlier outputs are being stored", async () => {
    let store = () => {};
    const stored = new Promise<void>((resolve) => (store = resolve));
    const storage: Storage = {
      ...scene.deps.storage,
      put: (key, path) => stored.then(() => scene.deps.storage.put(key, path)),
    };
    const worker = scene.open({ tasks: 3, children: 1 }, { storage });
    const three = await Promise.all(
      [1, 2, 3].map(() => scene.submit("child", { files: { "a.txt": "a" } })),
    );
    try {
      await eventually(
        "all have started, and there is room for more",
        async () =>
          (await Promise.all(three.map(scene.statusOf))).every((status) => status === "STARTED") &&
          worker.restingMs("child") > 0,
      );
    } finally {
      store();
    }
    await eventually("all are done", async () =>
      (await Promise.all(three.map(scene.statusOf))).every((status) => status === "SUCCESS"),
    );
    await worker.close();
  });

  it("keeps a slot for others, and delays the hints of a user who has the rest", async () => {
    const worker = scene.open({ tasks: 3 });
    const long = await scene.core.submitMany(scene.user, 3, { job: "obedient" });
    const isStarted = async () =>
      (await Promise.all(long.map(scene.statusOf))).filter((status) => status === "STARTED")
        .length === 2;
    await eventually("two of them run", isStarted);
    const echo = await scene.core.submit(scene.other);
    await eventually(
      "another user's task runs beside them",
      async () => (await scene.statusOf(echo)) === "SUCCESS",
      4000,
    );
    assert.deepEqual([await isStarted(), await scene.hints("worker")], [true, 3]);
    const [first] = (
      await Promise.all(
        long.map(async (one) => ((await scene.statusOf(one)) === "STARTED" ? [one] : [])),
      )
    ).flat();
    await scene.core.queuedJobs.cancel(scene.user, first?.id ?? "");
    worker.leases.check(first?.id ?? "");
    await eventually("the third runs after one has ended", isStarted);
    for (const { id } of long) await scene.core.queuedJobs.cancel(scene.user, id);
    await worker.close();
  });

  it("keeps a hint that comes before its row is due, and one whose row is locked", async () => {
    const { sql } = scene.core.database;
    const early = await scene.submit("echo");
    await sql`update queued_jobs set due_at = clock_timestamp() + interval '800 ms'
      where id = ${early.id}`;
    const locked = await scene.submit("echo");
    await sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${locked.id} for update`;
      scene.open();
      await eventually(
        "the early one is done",
        async () => (await scene.statusOf(early)) === "SUCCESS",
        8000,
      );
      await eventually(
        "the locked one is put back",
        () => scene.inspect("worker", async (queue) => (await queue.getDelayedCount()) === 1),
        8000,
      );
    });
    await eventually(
      "the locked one is done",
      async () => (await scene.statusOf(locked)) === "SUCCESS",
      8000,
    );
  });
});
