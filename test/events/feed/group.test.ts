import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { NotFoundError } from "../../../src/domain/errors.js";
import type { User } from "../../../src/services/users/users.js";
import { received } from "../../support/asserts/received.js";
import { createTestReader, type TestReader } from "../../support/clients/test-reader.js";
import { groupOf } from "../../support/service/group-of.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";

describe("the stream of a group", () => {
  let core: TestCore;
  let reader: TestReader;
  let epoch: string;
  before(async () => {
    core = await createTestCore();
    reader = await createTestReader(core);
    epoch = await core.eventLog.epoch();
  });
  after(async () => {
    await reader.close();
    await core.close();
  });

  /** A group of two members of which one follows the other, and their ids. */
  async function enqueue(user: User) {
    const submission = groupOf({ a: [], b: ["a"] });
    const group = await core.queuedJobs.enqueueGroup(user.id, { submission, requestId: "test" });
    const [a, b] = await core.database.sql<{ id: string }[]>`
      select id from queued_jobs where group_id = ${group.id} order by id`;
    return { groupId: group.id, a: a ?? assert.fail(), b: b ?? assert.fail() };
  }
  async function succeed(member: { id: string }): Promise<void> {
    await core.queuedJobs.succeed(await core.start(member), null, []);
  }

  it("starts with its last event, leaves out others, and ends with the last member", async () => {
    const user = await core.newUser();
    const { groupId, a, b } = await enqueue(user);
    await core.submit(user);
    const stream = received(await reader.open(user.id, { groupId }));
    await succeed(a);
    await core.submit(user);
    await succeed(b);
    assert.equal(await stream.ended(), "done");
    assert.deepEqual(stream.story, [
      "QUEUED 2",
      "STARTED 4",
      "SUCCEEDED 5",
      "STARTED 7",
      "SUCCEEDED 8",
    ]);
  });

  it("resumes after a cursor, also from the log, and is over after the end", async () => {
    const user = await core.newUser();
    const { groupId, a, b } = await enqueue(user);
    await core.submit(user);
    await succeed(a);
    const early = received(await reader.open(user.id, { groupId, after: { epoch, seq: 3 } }));
    await succeed(b);
    const late = received(await reader.open(user.id, { groupId, after: { epoch, seq: 5 } }));
    const over = received(await reader.open(user.id, { groupId, after: { epoch, seq: 7 } }));
    for (const stream of [early, late, over]) assert.equal(await stream.ended(), "done");
    assert.deepEqual(
      [early.story, late.story, over.story],
      [["STARTED 4", "SUCCEEDED 5", "STARTED 6", "SUCCEEDED 7"], ["STARTED 6", "SUCCEEDED 7"], []],
    );
  });

  it("starts with the state of a member if the events of the group were purged", async () => {
    const user = await core.newUser();
    const { groupId, a, b } = await enqueue(user);
    await core.database.sql`delete from queued_job_events where user_id = ${user.id}`;
    await core.database.sql`update user_streams set floor_seq = 2 where user_id = ${user.id}`;
    const stream = received(await reader.open(user.id, { groupId }));
    await succeed(a);
    await succeed(b);
    assert.equal(await stream.ended(), "done");
    assert.equal(stream.events[0]?.event.queuedJob.member?.group.pending, 2);
    assert.deepEqual(stream.story.slice(1), [
      "STARTED 3",
      "SUCCEEDED 4",
      "STARTED 5",
      "SUCCEEDED 6",
    ]);
  });

  it("is refused for another user's group, like a missing one", async () => {
    const { groupId } = await enqueue(await core.newUser());
    const stranger = await core.newUser();
    for (const position of [null, { epoch, seq: 0 }])
      await assert.rejects(
        reader.open(stranger.id, { groupId, after: position }),
        (error) => error instanceof NotFoundError && error.message === "There is no such JobGroup.",
      );
  });
});
