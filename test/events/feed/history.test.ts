// Tests a database whose history changes under running feeds: by a restore, or by a failover that
// lost the last commits.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { CursorExpiredError } from "../../../src/domain/errors.js";
import type { EventLog } from "../../../src/events/event-log.js";
import { createEventLog } from "../../../src/services/reads/event-log.js";
import type { User } from "../../../src/services/users/users.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";
import { createTestReader, type TestReader } from "../../support/clients/test-reader.js";
import { received, type Received } from "../../support/asserts/received.js";

const MESSAGE =
  "The history of the database has changed: read the page again and continue with its eventCursor.";

describe("a change of the database's history", () => {
  let core: TestCore;
  const opened: TestReader[] = [];
  async function open(options?: Parameters<typeof createTestReader>[1]): Promise<TestReader> {
    const reader = await createTestReader(core, { watchdogMs: 50, ...options });
    opened.push(reader);
    return reader;
  }
  before(async () => {
    core = await createTestCore();
    await eventually("notifications can be published", () => core.bus.awayReason() === null);
  });
  afterEach(async () => {
    for (const reader of opened.splice(0)) await reader.close();
  });
  after(() => core.close());

  /** Deletes a user's last events, so that their numbers are used again. */
  const lose = ({ id }: User, count: number) => core.database.sql`
    with s as (
      update user_streams set last_seq = last_seq - ${count} where user_id = ${id}
        returning last_seq)
    delete from queued_job_events e using s where e.user_id = ${id} and e.seq > s.last_seq`;
  const renewHistory = () => core.database.sql`update histories set id = gen_random_uuid()`;
  async function assertExpired(stream: Received): Promise<void> {
    const end = await eventually("the stream ends", () => stream.end, 5000);
    assert.ok(end instanceof CursorExpiredError, String(end));
    assert.equal(end.message, MESSAGE);
  }

  it("ends every stream with CURSOR_EXPIRED, and no new event is lost", async () => {
    const readers = [await open(), await open()];
    const [user, other] = [await core.newUser(), await core.newUser()];
    const [queuedJob] = await core.submitMany(user, 5);
    const requests = [{}, { queuedJobId: queuedJob?.id ?? "" }];
    const opening = readers.flatMap((reader) => [
      ...requests.map((request) => reader.open(user.id, request)),
      reader.open(other.id),
    ]);
    const streams = (await Promise.all(opening)).map(received);
    await core.submitMany(user, 3);
    await Promise.all([0, 3].map((i) => streams[i]?.count(3)));
    await lose(user, 3);
    await renewHistory();
    await core.submitMany(user, 3);
    await Promise.all(streams.map(assertExpired));
    const position = { epoch: await createEventLog(core.database).epoch(), seq: 5 };
    const resumed = readers.map((reader) => reader.open(user.id, { after: position }));
    const streamsNow = (await Promise.all(resumed)).map(received);
    await core.submit(user);
    for (const stream of streamsNow) {
      await stream.count(4);
      assert.deepEqual(stream.story, ["QUEUED 6", "QUEUED 7", "QUEUED 8", "QUEUED 9"]);
    }
  });

  it("is detected without a listener, so that cursors of all processes agree", async () => {
    const reader = await open();
    const eventLog = createEventLog(core.database);
    await open({ wrap: () => eventLog });
    const old = await eventLog.epoch();
    const user = await core.newUser();
    await core.submitMany(user, 3);
    await lose(user, 2);
    await renewHistory();
    const fresh = await createEventLog(core.database).epoch();
    assert.notEqual(fresh, old);
    const isFresh = async () => (await eventLog.epoch()) === fresh;
    await eventually("the running process has the new epoch", isFresh, 5000);
    await core.submitMany(user, 2);
    const isRefused = () =>
      reader.open(user.id, { after: { epoch: old, seq: 3 } }).then(
        (stream) => void stream.return(),
        (error) => error instanceof CursorExpiredError,
      );
    await eventually("the lost cursor is refused", isRefused, 5000);
    const stream = received(await reader.open(user.id, { after: { epoch: fresh, seq: 1 } }));
    await stream.count(2);
  });

  it("is detected when a number decreases, although the history's id is the same", async () => {
    const reader = await open();
    const [user, other] = [await core.newUser(), await core.newUser()];
    const [stream, unaffected] = [
      received(await reader.open(user.id)),
      received(await reader.open(other.id)),
    ];
    await core.submitMany(user, 3);
    await stream.count(3);
    await checked(reader);
    await lose(user, 2);
    await assertExpired(stream);
    const again = received(await reader.open(user.id));
    await core.submitMany(user, 2);
    await Promise.all([again.count(2), core.submit(other).then(() => unaffected.count(1))]);
    assert.deepEqual([again.story, unaffected.story], [["QUEUED 2", "QUEUED 3"], ["QUEUED 1"]]);
  });

  it("also ends a stream that is just being opened, and then opens the next", async () => {
    let atHeads: (() => Promise<void>) | null = null;
    // The first read of a start returns only after the watchdog has detected the change.
    const wrap = (log: EventLog): EventLog => ({
      ...log,
      async present(...args) {
        const present = await log.present(...args);
        await atHeads?.();
        return present;
      },
    });
    const reader = await open({ wrap });
    const user = await core.newUser();
    const queuedJob = await core.submit(user);
    const waiting = received(await reader.open(user.id));
    const unread = await reader.open(user.id);
    atHeads = async () => {
      atHeads = null;
      await renewHistory();
      await assertExpired(waiting);
    };
    await assertExpired(received(await reader.open(user.id, { queuedJobId: queuedJob.id })));
    const fresh = received(await reader.open(user.id));
    await core.queuedJobs.cancel(user, queuedJob.id);
    await fresh.count(1);
    assert.deepEqual(fresh.story, ["CANCELLED 2"]);
    await assertExpired(received(unread));
  });

  /** Resolves after a check of the watchdog, which alone finds this event. */
  async function checked(reader: TestReader): Promise<void> {
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    core.losesNotifications = true;
    await core.submit(user);
    core.losesNotifications = false;
    await stream.count(1);
  }
});
