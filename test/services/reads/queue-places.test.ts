import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import type { Lane } from "../../../src/queue/hint-queue.js";
import { createQueuePlaces, type QueuePlaces } from "../../../src/services/reads/queue-places.js";
import { createPauses } from "../../../src/services/operators/pauses.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import { albumTask } from "../../support/service/album-task.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("the places in the queue", () => {
  let services: TestServices;
  const rates: Record<Lane, number | null> = { worker: null, child: null };
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    await services.database.sql`delete from queued_jobs`;
    rates.worker = null;
  });
  after(() => services.close());
  /** Creates places with an empty cache. */
  const unseen = (): QueuePlaces =>
    createQueuePlaces({
      database: services.database,
      catalogue: new Map([...catalogue, [albumTask.name, albumTask]]),
      startRate: { rate: async (lane) => rates[lane] },
      pauses: createPauses({ ...services, hints: { reportLost: async () => {} } }),
    });
  const positions = async (...rows: QueuedJob[]) =>
    (await unseen().find(rows)).map((place) => place?.position ?? null);

  it("sort a user's QueuedJobs by priority, and by time within a priority", async () => {
    const user = await services.newUser();
    const [a, b, c] = await services.submitMany(user, [{}, { priority: 5 }, {}]);
    assert.ok(a && b && c);
    assert.deepEqual(await positions(a, b, c), [1, 0, 2]);
  });

  it("exclude QueuedJobs that run, have finished, are not due or are unknown", async () => {
    const user = await services.newUser();
    const [running, finished, later] = [
      await services.submit(user),
      await services.finished(user),
      await services.submit(user, { runAt: new Date(Date.now() + 60_000) }),
    ];
    await services.start(running);
    const waiting = await services.submit(user);
    assert.deepEqual(
      await positions(
        running,
        finished,
        later,
        { ...waiting, id: user.id, updatedAt: later.updatedAt },
        waiting,
      ),
      [null, null, null, null, 0],
    );
    assert.deepEqual(await unseen().find([]), []);
  });

  it("are null for paused QueuedJobs, which delay no other one", async () => {
    const { sql } = services.database;
    const [user, pausedUser] = [await services.newUser(), await services.newUser()];
    const { id: photoId } = await services.newPhoto(user);
    const others = await services.submitMany(pausedUser, [{}, {}]);
    const [first, second] = await services.submitMany(user, [{ priority: 5 }, {}]);
    const album = await services.submit(user, { job: "album", photoIds: [photoId] });
    assert.ok(others[0] && first && second);
    assert.deepEqual(await positions(first, second, others[0], album), [2, 3, 2, 0]);
    await sql`insert into pauses (kind, subject, at, actor, reason) values
      ('USER', ${pausedUser.id}, now(), 'admin', ''), ('JOB', 'album', now(), 'admin', '')`;
    assert.deepEqual(await positions(first, second, others[0], album), [0, 1, null, null]);
    // This one is newer than the read of its owner's queue.
    const places = unseen();
    await places.find([album]);
    const late = await services.submit(user, { job: "album", photoIds: [photoId] });
    assert.deepEqual(await places.find([late]), [{ position: null, startsAt: null }]);
    await sql`delete from pauses`;
  });

  it("alternate between users in blocks of 16, so that no first one waits long", async () => {
    const [one, other] = [await services.newUser(), await services.newUser()];
    await services.submitMany(
      other,
      Array.from({ length: 50 }, () => ({})),
    );
    const mine = await services.submitMany(
      one,
      Array.from({ length: 17 }, () => ({})),
    );
    const places = await positions(...mine);
    assert.deepEqual([places[0], places[15], places[16]], [16, 31, 48]);
  });

  it("are separate for photo jobs", async () => {
    const [one, other] = [await services.newUser(), await services.newUser()];
    const { id: photoId } = await services.newPhoto(one);
    await services.submitMany(other, [{}, {}, {}]);
    const [echo, album] = [
      await services.submit(one),
      await services.submit(one, { job: "album", photoIds: [photoId] }),
    ];
    assert.deepEqual(await positions(echo, album), [3, 0]);
  });

  it("are read once a second per user, and newer QueuedJobs go to the end", async () => {
    let statements = 0;
    const sql = new Proxy(services.database.sql, {
      apply: (target, self, args: unknown[]) => (
        statements++,
        Reflect.apply(target, self, args) as unknown
      ),
    });
    const places = createQueuePlaces({
      database: { ...services.database, sql },
      catalogue,
      startRate: { rate: async () => null },
      pauses: { known: async () => ({ jobs: new Set(), users: new Set() }) },
    });
    const find = async (...rows: QueuedJob[]) =>
      (await places.find(rows)).map((place) => place?.position ?? null);
    const user = await services.newUser();
    const [low, high] = await services.submitMany(user, [{}, { priority: 5 }]);
    assert.ok(low && high);
    assert.deepEqual(await find(low, high), [1, 0]);
    // One statement for this user, and one for the backlog, each with a fragment.
    assert.equal(statements, 4);
    const [late, urgent, between] = await services.submitMany(user, [
      {},
      { priority: 9 },
      { priority: 5 },
    ]);
    const later = await services.submit(user, { runAt: new Date(Date.now() + 60_000) });
    assert.ok(late && urgent && between);
    assert.deepEqual(
      await find(low, late, urgent, between, later, {
        ...late,
        id: user.id,
        error: { code: "X", message: "It waits for another attempt." },
      }),
      [1, 2, 0, 1, null, null],
    );
    assert.equal(statements, 4);
    await eventually("it is read again", async () => (await find(late))[0] === 4);
    assert.equal(statements, 8);
  });

  it("include a start time from the recent rate of the lane, and none without a rate", async () => {
    const user = await services.newUser();
    const [, second] = await services.submitMany(user, [{}, {}]);
    assert.ok(second);
    assert.deepEqual(await unseen().find([second]), [{ position: 1, startsAt: null }]);
    rates.worker = 0.1;
    const [place] = await unseen().find([second]);
    const seconds = (Date.parse(place?.startsAt ?? "") - Date.now()) / 1000;
    assert.ok(seconds > 18 && seconds <= 20, String(seconds));
  });
});
