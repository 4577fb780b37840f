import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { BROKEN_IDS, idOfNothing } from "../../support/asserts/broken-ids.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

describe("queuedJobEvents", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService();
    person = await service.person();
  });
  after(() => service.close());

  async function refused(options: Parameters<TestClient["events"]>[0], who = person) {
    const stream = who.events(options);
    const { errors } = await stream.ended();
    assert.deepEqual(stream.events, []);
    return errors;
  }

  it("refuse an invalid queuedJobId", async () => {
    await Promise.all(
      BROKEN_IDS.map(async (id) =>
        assertRefused(
          await refused({ id }),
          "BAD_USER_INPUT",
          "queuedJobId: is not an id: ids are UUIDs",
          ["queuedJobId"],
        ),
      ),
    );
  });

  it("return NOT_FOUND for an unknown or another user's job, also to admins", async () => {
    const { id } = await person.enqueue("echo");
    const [other, admin] = await Promise.all([service.person(), service.admin()]);
    for (const [who, one] of [
      [person, idOfNothing()],
      [other, id],
      [admin, id],
    ] as const)
      assertRefused(await refused({ id: one }, who), "NOT_FOUND", "There is no such QueuedJob.");
  });

  it("refuse a cursor that is invalid, of another user, or of a page", async () => {
    const other = await service.person();
    await person.enqueue("echo");
    const { queuedJobs } = await person.get(
      "{ queuedJobs(first: 1) { eventCursor pageInfo { endCursor } } }",
    );
    const broken = [
      "",
      " ",
      "0",
      "x".repeat(5000),
      `${queuedJobs.eventCursor}=`,
      queuedJobs.eventCursor.slice(0, -2),
      queuedJobs.pageInfo.endCursor,
      await other.cursor(),
    ];
    await Promise.all(
      broken.map(async (cursor) =>
        assertRefused(
          await refused({ after: cursor }),
          "BAD_USER_INPUT",
          "after: is not one of your cursors; pass a cursor from an earlier response or event",
          ["after"],
        ),
      ),
    );
  });

  it("return CURSOR_EXPIRED after a purge, and for a cursor of another database", async () => {
    const one = await service.person();
    const start = await one.cursor();
    await one.finished((await one.enqueue("echo")).id);
    const end = await one.cursor();
    const { me } = await one.get("{ me { id } }");
    await service.database.sql`update user_streams set floor_seq = 2 where user_id = ${me.id}`;
    assertRefused(
      await refused({ after: start }, one),
      "CURSOR_EXPIRED",
      "The stream cannot be resumed from this cursor: read the page again and continue " +
        "with its eventCursor.",
    );

    const elsewhere = Buffer.from(end, "base64url");
    elsewhere.writeUInt8(elsewhere.readUInt8(1) ^ 1, 1);
    assertRefused(
      await refused({ after: elsewhere.toString("base64url") }, one),
      "CURSOR_EXPIRED",
      /^The stream cannot be resumed from this cursor/,
    );
    const ahead = Buffer.from(end, "base64url");
    ahead.writeBigUInt64BE(ahead.readBigUInt64BE(9) + 100n, 9);
    assertRefused(
      await refused({ after: ahead.toString("base64url") }, one),
      "CURSOR_EXPIRED",
      /^The stream cannot be resumed from this cursor/,
    );
  });

  it("of one QueuedJob start with its current state, and complete after its end", async () => {
    const { id } = await person.enqueue(
      "echo",
      {},
      { runAt: new Date(Date.now() + 3_600_000).toISOString() },
    );
    const stream = person.events({ id: id.toUpperCase() });
    const first = await stream.next("the current state", () => true);
    await person.enqueue("echo");
    await person.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id });
    assert.deepEqual(await stream.ended(), { complete: true });
    assert.deepEqual(
      stream.events.map(({ type, queuedJob }) => [type, queuedJob.id, queuedJob.status]),
      [
        ["QUEUED", id, "PENDING"],
        ["CANCELLED", id, "CANCELLED"],
      ],
    );

    const again = person.events({ id });
    assert.deepEqual(await again.ended(), { complete: true });
    assert.deepEqual(
      again.events.map(({ cursor, type }) => [cursor, type]),
      [[stream.events[1]?.cursor, "CANCELLED"]],
    );
    const rest = person.events({ id, after: first.cursor });
    assert.deepEqual(await rest.ended(), { complete: true });
    assert.deepEqual(rest.events, stream.events.slice(1));
    const none = person.events({ id, after: stream.events[1]?.cursor ?? "" });
    assert.deepEqual(await none.ended(), { complete: true });
    assert.deepEqual(none.events, []);
  });

  it("omit PROGRESS on request, whose cursor is that of the previous other event", async () => {
    const start = await person.cursor();
    const [all, some] = [
      person.events({ after: start }),
      person.events({ after: start, includeProgress: false }),
    ];
    const { id } = await person.enqueue("echo", { durationMs: 400, steps: 2 });
    const isEnd = ({ type, queuedJob }: { type: string; queuedJob: { id: string } }) =>
      type === "SUCCEEDED" && queuedJob.id === id;
    await Promise.all([all, some].map((stream) => stream.next("the success", isEnd)));
    all.stop();
    some.stop();
    assert.deepEqual(
      some.events.map(({ type }) => type),
      ["QUEUED", "STARTED", "SUCCEEDED"],
    );
    const progress = all.events.filter(({ type }) => type === "PROGRESS");
    assert.ok(progress.length > 0, "no progress was received");
    const started = all.events.find(({ type }) => type === "STARTED")?.cursor;
    for (const { cursor } of progress) assert.equal(cursor, started);
  });
});
