// Tests PROGRESS in a stream: best effort, but never wrong.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { QueuedJobEvent } from "../../../src/domain/queued-job.js";
import type { Claimed } from "../../../src/services/queued-jobs/claim.js";
import { currentDeadline, withDeadline } from "../../../src/runtime/deadline.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";
import { createTestReader, type TestReader } from "../../support/clients/test-reader.js";
import { received, type Received } from "../../support/asserts/received.js";

const progressOf = ({ events }: Received) =>
  events
    .filter(({ event }) => event.type === "PROGRESS")
    .map(({ event }) => event.queuedJob.progress);
const progressEvent = ({ startedSeq, queuedJob }: Claimed, progress: number): QueuedJobEvent => ({
  seq: startedSeq,
  type: "PROGRESS",
  at: queuedJob.updatedAt,
  queuedJob: { ...queuedJob, progress },
});

describe("progress in a stream", () => {
  let core: TestCore;
  let reader: TestReader;
  before(async () => {
    core = await createTestCore();
    reader = await createTestReader(core);
    await eventually("notifications can be published", () => core.bus.awayReason() === null);
  });
  after(async () => {
    await reader.close();
    await core.close();
  });

  it("contains the current QueuedJob, and the cursor of the last logged event sent", async () => {
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    const claimed = await core.start(await core.submit(user));
    await core.submit(user);
    await stream.count(3);
    await core.queuedJobs.progress(claimed, 0.25, "a quarter");
    await stream.count(4);
    const { event, cursorSeq } = stream.events[3] ?? assert.fail();
    assert.deepEqual([event.type, cursorSeq], ["PROGRESS", 3]);
    assert.deepEqual(
      [
        event.queuedJob.status,
        event.queuedJob.version,
        event.queuedJob.progress,
        event.queuedJob.progressMessage,
      ],
      ["STARTED", 2, 0.25, "a quarter"],
    );
  });

  it("is coalesced for a slow reader: it gets the last PROGRESS of each QueuedJob", async () => {
    const user = await core.newUser();
    const subscription = await reader.open(user.id);
    const brisk = received(await reader.open(user.id, { includeProgress: false }));
    const [one, other] = [
      await core.start(await core.submit(user)),
      await core.start(await core.submit(user)),
    ];
    for (const progress of [0.1, 0.2, 0.3]) await core.queuedJobs.progress(one, progress, null);
    await core.queuedJobs.progress(other, 0.9, null);
    await core.queuedJobs.progress(one, 0.4, null);
    await core.submit(user);
    await brisk.count(5);
    const stream = received(subscription);
    await stream.count(7);
    assert.deepEqual(stream.story, [
      "QUEUED 1",
      "STARTED 2",
      "QUEUED 3",
      "STARTED 4",
      "QUEUED 5",
      "PROGRESS 5",
      "PROGRESS 5",
    ]);
    assert.deepEqual(progressOf(stream), [0.9, 0.4]);
  });

  it("is never delivered after its attempt's end, even if it is notified late", async () => {
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    const claimed = await core.start(await core.submit(user));
    await core.queuedJobs.succeed(claimed, null, []);
    core.bus.publish(user.id, [progressEvent(claimed, 0.9)]);
    await core.submit(user);
    await stream.count(4);
    assert.deepEqual(stream.story, ["QUEUED 1", "STARTED 2", "SUCCEEDED 3", "QUEUED 4"]);
  });

  it("is not delivered after that end if the stream was opened after it", async () => {
    const user = await core.newUser();
    const claimed = await core.start(await core.submit(user));
    await core.queuedJobs.succeed(claimed, null, []);
    const running = await core.start(await core.submit(user));
    const stream = received(await reader.open(user.id));
    for (const late of [claimed, running]) core.bus.publish(user.id, [progressEvent(late, 0.9)]);
    await stream.count(1);
    await core.submit(user);
    await stream.count(2);
    assert.deepEqual(stream.story, ["PROGRESS 5", "QUEUED 6"]);
    assert.equal(stream.events[0]?.event.queuedJob.id, running.queuedJob.id);
  });

  it("is not delivered to a stream that was resumed after that end, unseen here", async () => {
    const user = await core.newUser();
    const other = received(await reader.open(user.id));
    const claimed = await core.start(await core.submit(user));
    await other.count(2);
    core.losesNotifications = true;
    await core.queuedJobs.succeed(claimed, null, []);
    core.losesNotifications = false;
    const cursor = { epoch: other.events[0]?.epoch ?? "", seq: 3 };
    const resumed = received(await reader.open(user.id, { after: cursor }));
    core.bus.publish(user.id, [progressEvent(claimed, 0.9)]);
    await core.submit(user);
    await resumed.count(1);
    assert.deepEqual(resumed.story, ["QUEUED 4"]);
  });

  it("is checked although it arrives in the context of an operation that is over", async () => {
    const user = await core.newUser();
    const claimed = await core.start(await core.submit(user));
    await core.submit(user);
    // The first stream of a process opens the connections that its notifications arrive on.
    const opened: { other?: TestReader; stream?: Received } = {};
    const operation = async () => {
      opened.other = await createTestReader(core);
      opened.stream = received(await opened.other.open(user.id));
      await eventually("the operation is over", () => currentDeadline()?.passed);
    };
    await withDeadline(operation, 1500, () => {});
    await core.queuedJobs.progress(claimed, 0.5, null);
    await eventually("the progress is delivered", () => opened.stream?.events.length === 1);
    await opened.other?.close();
  });

  it("is not delivered after that end if its notification was lost or too long", async () => {
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    const [lost, long] = [
      await core.start(await core.submit(user)),
      await core.start(await core.submit(user)),
    ];
    await stream.count(4);
    core.losesNotifications = true;
    await core.queuedJobs.succeed(lost, null, []);
    core.losesNotifications = false;
    await core.queuedJobs.succeed(long, "x".repeat(8000), []);
    for (const claimed of [lost, long]) core.bus.publish(user.id, [progressEvent(claimed, 0.9)]);
    await core.submit(user);
    await eventually("all events are delivered", () => stream.story.includes("QUEUED 7"));
    assert.deepEqual(stream.story.slice(stream.story.indexOf("SUCCEEDED 5")), [
      "SUCCEEDED 5",
      "SUCCEEDED 6",
      "QUEUED 7",
    ]);
  });

  it("does not overtake the start of its attempt, whose notification was lost", async () => {
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    const queuedJob = await core.submit(user);
    await stream.count(1);
    core.losesNotifications = true;
    const claimed = await core.start(queuedJob);
    core.losesNotifications = false;
    await core.queuedJobs.progress(claimed, 0.5, null);
    await core.submit(user);
    await stream.count(4);
    assert.deepEqual(stream.story, ["QUEUED 1", "STARTED 2", "QUEUED 3", "PROGRESS 3"]);
  });

  it("starts with the first PROGRESS after the stream was opened", async () => {
    const user = await core.newUser();
    const claimed = await core.start(await core.submit(user));
    const early = received(await reader.open(user.id));
    await core.queuedJobs.progress(claimed, 0.3, null);
    await early.count(1);
    const late = received(await reader.open(user.id));
    await core.queuedJobs.progress(claimed, 0.6, null);
    await Promise.all([early.count(2), late.count(1)]);
    assert.deepEqual([progressOf(early), progressOf(late)], [[0.3, 0.6], [0.6]]);
  });

  it("is omitted on request, and limited to one QueuedJob in a stream of one", async () => {
    const user = await core.newUser();
    const [mine, other] = [
      await core.start(await core.submit(user)),
      await core.start(await core.submit(user)),
    ];
    const without = received(await reader.open(user.id, { includeProgress: false }));
    const one = received(await reader.open(user.id, { queuedJobId: mine.id }));
    await one.count(1);
    await core.queuedJobs.progress(other, 0.9, null);
    await core.queuedJobs.progress(mine, 0.1, null);
    await one.count(2);
    await core.queuedJobs.succeed(other, null, []);
    await core.queuedJobs.succeed(mine, null, []);
    await without.count(2);
    assert.equal(await one.ended(), "done");
    assert.deepEqual(
      [without.story, one.story, progressOf(one)],
      [["SUCCEEDED 5", "SUCCEEDED 6"], ["STARTED 2", "PROGRESS 2", "SUCCEEDED 6"], [0.1]],
    );
  });
});
