import assert from "node:assert/strict";
import { after, afterEach, before, describe, it, mock } from "node:test";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import type { QueuedJobs } from "../../src/services/queued-jobs/queued-jobs.js";
import type { User } from "../../src/services/users/users.js";
import { createLeases, type Leases, StopError } from "../../src/worker/leases.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../support/service/test-core.js";

const reasonOf = ({ signal }: AbortController) =>
  signal.reason instanceof StopError ? signal.reason.reason : null;

describe("leases", () => {
  let core: TestCore;
  let user: User;
  before(async () => {
    core = await createTestCore();
    user = await core.newUser();
  });
  after(() => core.close());
  const claim = async () => core.start(await core.submit(user), "w");
  const opened: Leases[] = [];
  afterEach(() => opened.splice(0).forEach((leases) => leases.close()));
  function open(
    renewMs: number | null,
    queuedJobs: Pick<QueuedJobs, "renewLeases"> = core.queuedJobs,
  ): Leases {
    const leases = createLeases({
      queuedJobs,
      worker: "w",
      log: silentLog,
      ...(renewMs !== null && { renewMs }),
    });
    opened.push(leases);
    return leases;
  }
  /** Removes the lease of the worker; the next renewal makes a new one. */
  const expire = () => core.database.sql`delete from worker_leases where worker = 'w'`;
  const isRenewed = async (...ids: string[]) =>
    (
      await core.database.sql`select from worker_leases where worker = 'w'
        and valid_until > now() + interval '25 seconds' and queued_job_ids @> ${ids}::uuid[]`
    ).length === 1;

  it("are renewed at once, and all by one statement until they are released", async () => {
    let asked: string[][] = [];
    const leases = open(10, {
      renewLeases: (worker, attempts) => (
        asked.push(attempts.map(({ id }) => id)),
        core.queuedJobs.renewLeases(worker, attempts)
      ),
    });
    const [one, other] = [await claim(), await claim()];
    const stops = [new AbortController(), new AbortController()];
    await expire();
    [one, other].forEach((claimed, i) => leases.hold(claimed, stops[i] ?? assert.fail()));
    await eventually("both are renewed", () => isRenewed(one.id, other.id));
    assert.deepEqual([asked[0], asked[1]], [[one.id], [one.id, other.id]]);
    leases.release(one);
    asked = [];
    await eventually("renewal continues for the other", () => asked.length > 2);
    assert.deepEqual(
      [asked.at(-1), leases.size, stops.map(reasonOf)],
      [[other.id], 1, [null, null]],
    );
  });

  it("that are lost by cancellation or to another worker stop only their own attempt", async () => {
    const leases = open(10);
    const [cancelled, taken, kept] = [await claim(), await claim(), await claim()];
    const stops = [cancelled, taken, kept].map((claimed) => {
      const stop = new AbortController();
      leases.hold(claimed, stop);
      return stop;
    });
    await core.queuedJobs.cancel(user, cancelled.id);
    await core.database.sql`update queued_jobs set worker = 'another' where id = ${taken.id}`;
    await eventually("both are stopped", () =>
      stops.slice(0, 2).every(({ signal }) => signal.aborted),
    );
    assert.deepEqual(stops.map(reasonOf), ["lost", "lost", null]);
  });

  it("are checked at once after a stop notification, which alone proves nothing", async () => {
    const leases = open(600_000);
    const [cancelled, kept] = [await claim(), await claim()];
    const stops = [new AbortController(), new AbortController()];
    [cancelled, kept].forEach((claimed, i) => leases.hold(claimed, stops[i] ?? assert.fail()));
    await eventually("the first is renewed", () => isRenewed(cancelled.id));
    await core.queuedJobs.cancel(user, cancelled.id);
    for (const { id } of [kept, cancelled]) leases.check(id);
    leases.check("unknown");
    await eventually("the cancelled one is stopped", () => stops[0]?.signal.aborted);
    await eventually("the other one is renewed", () => isRenewed(kept.id));
    assert.deepEqual(stops.map(reasonOf), ["lost", null]);
  });

  it("are checked again after a notification that came during a check", async () => {
    let answer: () => void = () => {};
    const asked: string[][] = [];
    const leases = open(600_000, {
      async renewLeases(_worker, attempts) {
        asked.push(attempts.map(({ id }) => id));
        await new Promise<void>((resolve) => (answer = resolve));
        return new Set(attempts.map(({ id }) => id));
      },
    });
    const claimed = await claim();
    leases.hold(claimed, new AbortController());
    for (let i = 0; i < 3; i++) leases.check(claimed.id);
    answer();
    await eventually("it is checked again", () => asked.length === 2);
    leases.release(claimed);
    answer();
  });

  it("of an earlier attempt are lost when the same QueuedJob is claimed here again", async () => {
    const leases = open(10);
    const first = await claim();
    const [earlier, later] = [new AbortController(), new AbortController()];
    leases.hold(first, earlier);
    await core.queuedJobs.handBack(first, 0);
    const second = await core.start(first, "w");
    leases.hold(second, later);
    await eventually("the earlier one is stopped", () => earlier.signal.aborted);
    await expire();
    await eventually("the later one is renewed", () => isRenewed(second.id));
    assert.deepEqual([reasonOf(earlier), reasonOf(later)], ["lost", null]);
  });

  it("all stop when the process closes", async () => {
    const leases = open(600_000);
    const stop = new AbortController();
    leases.hold(await claim(), stop);
    leases.stopAll();
    assert.equal(reasonOf(stop), "shutdown");
  });

  describe("that cannot be renewed", () => {
    const away = () =>
      Promise.reject(
        new ServiceUnavailableError("The database is unavailable; try again in a moment."),
      );
    const hung = () => new Promise<never>(() => {});

    /**
     * Measures how many seconds the attempt continues, by the clock of the worker, after this late
     * answer to its claim.
     */
    async function stoppedAfter(
      renewLeases: QueuedJobs["renewLeases"],
      lateMs = 0,
    ): Promise<number> {
      const claimed = await claim();
      claimed.leasedAt -= lateMs;
      mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
      const leases = open(null, { renewLeases });
      const stop = new AbortController();
      leases.hold(claimed, stop);
      let seconds = 0;
      for (; seconds < 60 && !stop.signal.aborted; seconds++) {
        mock.timers.tick(1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      leases.close();
      mock.timers.reset();
      assert.equal(reasonOf(stop), "lost");
      return seconds;
    }

    it("stop their attempt after 20 of 30 seconds, whatever blocks the database", async () => {
      for (const renewLeases of [away, hung]) {
        const seconds = await stoppedAfter(renewLeases);
        assert.equal(seconds, 20);
      }
    });

    it("count from the time of sending the claim, however late the answer was", async () =>
      assert.equal(await stoppedAfter(hung, 6000), 14));

    it("for only a moment stop nothing", async () => {
      let tries = 0;
      const claimed = await claim();
      const leases = open(10, {
        renewLeases: (worker, attempts) =>
          tries++ < 3 ? away() : core.queuedJobs.renewLeases(worker, attempts),
      });
      const stop = new AbortController();
      await expire();
      leases.hold(claimed, stop);
      await eventually("it is renewed", () => isRenewed(claimed.id));
      assert.equal(stop.signal.aborted, false);
    });
  });
});
