import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { QueuedJob, StoredOutput } from "../../../../src/domain/queued-job.js";
import type { Submission } from "../../../../src/services/queued-jobs/check-submission.js";
import {
  findEarlierResult,
  reusableVersion,
} from "../../../../src/services/queued-jobs/success.js";
import type { User } from "../../../../src/services/users/users.js";
import { catalogue } from "../../../../src/tasks/catalogue.js";
import { albumTask } from "../../../support/service/album-task.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const output = (name: string): StoredOutput => ({
  name,
  mimeType: "image/webp",
  byteSize: 7,
  width: 3,
  height: null,
  storageKey: `outputs/${name}`,
});

describe("an earlier result", () => {
  let services: TestServices;
  let user: User;
  let photos: string[];
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    user = await services.newUser();
    photos = [(await services.newPhoto(user)).id, (await services.newPhoto(user)).id];
  });
  after(() => services.close());
  const album = (more: Partial<Submission> = {}): Partial<Submission> => ({
    job: "album",
    photoIds: photos,
    parameters: { title: "a" },
    ...more,
  });
  const find = async (queuedJob: QueuedJob) =>
    services.queuedJobs.findEarlierResult(await services.start(queuedJob));
  async function done(submission: Partial<Submission>, owner = user): Promise<QueuedJob> {
    const queuedJob = await services.submit(owner, submission);
    await services.queuedJobs.succeed(await services.start(queuedJob), { of: queuedJob.id }, [
      output("b"),
      output("a"),
    ]);
    return queuedJob;
  }

  it("is found by the same Job, parameters and photos, with its files in order", async () => {
    const { id } = await done(album());
    const again = await services.submit(
      user,
      album({ priority: 5, idempotencyKey: "k", runAt: new Date(0) }),
    );
    assert.deepEqual(await find(again), {
      id,
      result: { of: id },
      outputs: [output("b"), output("a")],
    });
  });

  it("is found by parameters that are equal after their defaults are added", async () => {
    const { id } = await done(album({ parameters: {} }));
    assert.equal(
      (await find(await services.submit(user, album({ parameters: { title: "untitled" } }))))?.id,
      id,
    );
  });

  const others: [what: string, submission: () => Partial<Submission>][] = [
    ["other parameters", () => album({ parameters: { title: "b" } })],
    ["the photos in another order", () => album({ photoIds: photos.toReversed() })],
    ["fewer photos", () => album({ photoIds: photos.slice(1) })],
    ["a photo twice", () => album({ photoIds: [...photos, photos[1] ?? ""] })],
    ["a request for fresh work", () => album({ fresh: true })],
    ["another Job", () => ({ job: "metadata", photoIds: photos.slice(1) })],
  ];
  for (const [what, submission] of others) {
    it(`is not found by ${what}`, async () => {
      await done(album());
      await done(album({ photoIds: photos.slice(1), parameters: {} }));
      assert.equal(
        await find(
          await services.submit(
            user,
            what === "fewer photos" ? album({ photoIds: photos.slice(0, 1) }) : submission(),
          ),
        ),
        null,
      );
    });
  }

  it("is never found by another user", async () => {
    await done(album());
    const other = await services.newUser();
    // This state cannot be reached from outside: a photo of another user in a submission.
    const theirs = await services.submit(
      other,
      album({
        photoIds: [(await services.newPhoto(other)).id, (await services.newPhoto(other)).id],
      }),
    );
    for (const [position, photoId] of photos.entries())
      await services.database
        .sql`update queued_job_photos set photo_id = ${photoId} where queued_job_id = ${theirs.id}
          and position = ${position}`;
    assert.equal(await find(theirs), null);
    assert.notEqual(await find(await services.submit(user, album())), null);
  });

  it("is found only for the same version of the task", async () => {
    const { id } = await done(album());
    const again = await services.submit(user, album());
    assert.deepEqual(
      [
        (await findEarlierResult(services.database.sql, { id: again.id, version: 1 }))?.id,
        await findEarlierResult(services.database.sql, { id: again.id, version: 2 }),
      ],
      [id, null],
    );
  });

  it("is found only for a success, and not after its deletion", async () => {
    const failed = await services.submit(user, album());
    await services.queuedJobs.fail(await services.start(failed), {
      code: "TASK_FAILED",
      message: "No.",
      permanent: true,
    });
    await services.queuedJobs.cancel(user, (await services.submit(user, album())).id);
    await services.start(await services.submit(user, album()));
    assert.equal(await find(await services.submit(user, album())), null);
    const { id } = await done(album());
    await services.queuedJobs.remove(user, id);
    assert.equal(await find(await services.submit(user, album())), null);
  });

  it("is the newest of several, also a reused one", async () => {
    await done(album());
    const { id } = await done(album({ fresh: true }));
    const taking = await services.start(await services.submit(user, album()));
    const earlier = await services.queuedJobs.findEarlierResult(taking);
    await services.queuedJobs.succeed(taking, earlier?.result, [output("c")], earlier?.id);
    const taken = await services.queuedJobs.find(user, taking.id);
    assert.deepEqual(
      [earlier?.id, taken?.reusedFrom, taken?.result, services.published.at(-1)?.queuedJob],
      [id, id, { of: id }, taken],
    );
    assert.equal((await find(await services.submit(user, album())))?.id, taking.id);
  });

  it("exists only for Jobs with photos", async () => {
    await services.finished(user);
    assert.equal(await find(await services.submit(user)), null);
  });

  it("may come from any task whose result depends only on parameters and photos", () => {
    assert.deepEqual(
      [...catalogue.values()]
        .filter((task) => reusableVersion(task) === null)
        .map(({ name }) => name)
        .toSorted(),
      ["echo", "hash", "prepare"],
    );
    assert.deepEqual(
      [
        reusableVersion(albumTask),
        reusableVersion({ ...albumTask, resultVersion: 3 }),
        reusableVersion({ ...albumTask, resultVersion: null }),
      ],
      [1, 3, null],
    );
  });

  it("leaves consistent counters, numbers and events", () =>
    assertConsistent(services.database.sql));
});
