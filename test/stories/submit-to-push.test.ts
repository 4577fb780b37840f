// The main flow, end to end: a user submits a job, and every event arrives at that user only.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startTestService, type TestService } from "../support/service/test-service.js";
import type { EventFields } from "../support/clients/test-client.js";

const typesOf = (events: EventFields[]) => events.map((event) => event.type);
const logged = (events: EventFields[]) => events.filter((event) => event.type !== "PROGRESS");

describe("from submit to push", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.close());

  it("pushes every event of a QueuedJob to its owner, and to no other user", async () => {
    const [ann, bob] = await Promise.all([service.person(), service.person()]);
    const [hers, his] = [
      ann.events({ after: await ann.cursor() }),
      bob.events({ after: await bob.cursor() }),
    ];
    const submitted = await ann.enqueue("echo", {
      message: { a: [1, "ü", null] },
      durationMs: 600,
      steps: 2,
    });
    await hers.next("it succeeds", (event) => event.type === "SUCCEEDED");

    assert.deepEqual([submitted.status, submitted.version, submitted.progress], ["PENDING", 1, 0]);
    assert.deepEqual(typesOf(logged(hers.events)), ["QUEUED", "STARTED", "SUCCEEDED"]);
    assert.deepEqual(
      logged(hers.events).map(({ queuedJob }) => queuedJob.version),
      [1, 2, 3],
    );
    assert.ok(typesOf(hers.events).includes("PROGRESS"), "no PROGRESS event arrived");
    assert.deepEqual(hers.events.at(-1)?.queuedJob.result, {
      message: { a: [1, "ü", null] },
      attempt: 1,
    });
    assert.equal(hers.events.at(-1)?.queuedJob.progress, 1);
    assert.deepEqual(await ann.job(submitted.id), hers.events.at(-1)?.queuedJob);

    // Bob's own job proves that his stream was open.
    const other = await bob.enqueue("echo");
    await his.next("his own succeeds", (event) => event.type === "SUCCEEDED");
    assert.deepEqual([...new Set(his.events.map(({ queuedJob }) => queuedJob.id))], [other.id]);
    assert.equal(await bob.job(submitted.id), null);
    hers.stop();
    his.stop();
  });

  it("pushes RETRYING with the error after a failed attempt, and runs the job again", async () => {
    const person = await service.person();
    const stream = person.events({ after: await person.cursor() });
    await person.enqueue("echo", { failAttempts: 1, message: "second" });
    await stream.next("it succeeds", (event) => event.type === "SUCCEEDED");
    stream.stop();

    assert.deepEqual(typesOf(stream.events), [
      "QUEUED",
      "STARTED",
      "RETRYING",
      "STARTED",
      "SUCCEEDED",
    ]);
    const [, , retrying, , succeeded] = stream.events;
    assert.deepEqual(
      [retrying?.queuedJob.status, retrying?.queuedJob.error],
      [
        "PENDING",
        {
          code: "TASK_FAILED",
          message: "The job failed, as its parameters request: failure 1 of 1.",
        },
      ],
    );
    assert.deepEqual(
      [succeeded?.queuedJob.attempts, succeeded?.queuedJob.error, succeeded?.queuedJob.version],
      [2, null, 5],
    );
  });

  it("pushes FAILED after the Job's maximum number of attempts", async () => {
    const person = await service.person();
    const stream = person.events({ after: await person.cursor() });
    await person.enqueue("echo", { failAttempts: 10 });
    const failed = await stream.next("it fails", (event) => event.type === "FAILED", 20_000);
    stream.stop();
    assert.deepEqual(typesOf(stream.events), [
      "QUEUED",
      "STARTED",
      "RETRYING",
      "STARTED",
      "RETRYING",
      "STARTED",
      "FAILED",
    ]);
    assert.deepEqual([failed.queuedJob.status, failed.queuedJob.attempts], ["FAILED", 3]);
  });

  it("does not retry a permanent failure", async () => {
    const person = await service.person();
    const job = await person.finished((await person.enqueue("echo", { failPermanently: true })).id);
    assert.deepEqual(
      [job.status, job.attempts, job.error],
      [
        "FAILED",
        1,
        { code: "TASK_FAILED", message: "The job failed permanently, as its parameters request." },
      ],
    );
  });

  it("replays exactly the remaining events from every cursor of a recorded stream", async () => {
    const person = await service.person();
    const start = await person.cursor();
    const recorder = person.events({ after: start });
    const jobs = await Promise.all([
      person.enqueue("echo"),
      person.enqueue("echo", { failAttempts: 1 }),
      person.enqueue("echo", { durationMs: 300, steps: 3 }),
    ]);
    const isEnd = (event: EventFields) => event.type === "SUCCEEDED";
    await recorder.next("all succeed", () => recorder.events.filter(isEnd).length === jobs.length);
    recorder.stop();
    const story = logged(recorder.events);

    for (const [i, cursor] of [start, ...story.map((event) => event.cursor)].entries()) {
      const replay = person.events({ after: cursor });
      if (i < story.length)
        await replay.next("the last event", (event) => event.cursor === story.at(-1)?.cursor);
      assert.deepEqual(replay.events, story.slice(i), `after ${i} events`);
      replay.stop();
    }
  });

  it("runs jobs that were submitted without a worker as soon as one starts", async () => {
    const lonely = await startTestService({ workers: 0 });
    try {
      const person = await lonely.person();
      const { id } = await person.enqueue("echo", { message: "waits" });
      assert.equal((await person.job(id))?.status, "PENDING");
      await lonely.addWorker();
      assert.equal((await person.finished(id)).status, "SUCCESS");
    } finally {
      await lonely.close();
    }
  });
});
