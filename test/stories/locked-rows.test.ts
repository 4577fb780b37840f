// Another session locks a row of one user. Only that user may have to wait.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/runner/eventually.js";
import { long } from "../support/runner/long.js";
import type { QueuedJobFields, TestClient } from "../support/clients/test-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

/** Longer than the lock timeout, so that it passes at least once. */
const HELD_MS = 5000;
const STARTS_MS = 2000;
const ACCEPTED_MS = 500;
/** Interval between submissions of the other users. */
const INTERVAL_MS = 200;

describe("while a row of one user is locked", () => {
  let service: TestService;
  let [held, ...others]: TestClient[] = [];
  before(async () => {
    service = await startTestService({ env: { WORKER_TASKS: "40" } });
    [held, ...others] = await Promise.all(Array.from({ length: 6 }, () => service.person()));
    // The first jobs wait for connections, prepared statements and child processes.
    for (const client of [held, ...others])
      await client?.finished((await client.enqueue("echo")).id);
  });
  after(() => service.close());

  /** Locks the row for `ms`, or until `work` is done if that takes longer. */
  function whileLocked<T>(
    table: string,
    where: string,
    id: string,
    work: () => Promise<T>,
    ms = HELD_MS,
  ): Promise<T> {
    return service.database.sql.begin(async (tx) => {
      await tx.unsafe("set local idle_in_transaction_session_timeout = 0");
      await tx.unsafe(`select from ${table} where ${where} = $1 for update`, [id]);
      const [done] = await Promise.all([work(), pause(ms)]);
      return done;
    }) as Promise<T>;
  }

  interface Delays {
    accepted: number;
    started: number;
  }

  /** Lets the other users submit during the lock, and returns their longest delays. */
  async function othersWait(ms = HELD_MS - STARTS_MS): Promise<Delays> {
    const until = Date.now() + ms;
    const delays: Promise<Delays>[] = [];
    for (let i = 0; Date.now() < until; i++) {
      delays.push(submitAndTime(others[i % others.length] ?? assert.fail()));
      await pause(INTERVAL_MS);
    }
    const all = await Promise.all(delays);
    return {
      accepted: Math.max(...all.map(({ accepted }) => accepted)),
      started: Math.max(...all.map(({ started }) => started)),
    };
  }

  async function submitAndTime(client: TestClient): Promise<Delays> {
    const startedAt = performance.now();
    const { id } = await client.enqueue("echo");
    const accepted = performance.now() - startedAt;
    await client.finished(id, HELD_MS + 60_000);
    const [row] = await service.database.sql<{ ms: number }[]>`
      select extract(epoch from started_at - created_at)::float8 * 1000 as ms from queued_jobs
        where id = ${id}`;
    return { accepted, started: row?.ms ?? Infinity };
  }

  function assertNotHeldUp({ accepted, started }: Delays): void {
    process.stdout.write(`accepted ${accepted.toFixed(0)} ms, started ${started.toFixed(0)} ms\n`);
    // The lock timeout, plus a margin for a busy machine.
    assert.ok(accepted < ACCEPTED_MS + 1500, `a job was accepted after ${accepted} ms`);
    assert.ok(started < STARTS_MS, `a job was started after ${started} ms`);
  }

  const submitHeld = (parameters = {}) => (held ?? assert.fail()).enqueue("echo", parameters);
  const userIdOf = async ({ id }: QueuedJobFields) =>
    (
      await service.database.sql<
        { userId: string }[]
      >`select user_id as "userId" from queued_jobs where id = ${id}`
    )[0]?.userId ?? assert.fail();

  it("other jobs start in time while it cannot be claimed; it runs when it is free", async () => {
    const runAt = new Date(Date.now() + 1000).toISOString();
    const queuedJob = await (held ?? assert.fail()).enqueue("echo", {}, { runAt });
    assertNotHeldUp(await whileLocked("queued_jobs", "id", queuedJob.id, () => othersWait()));
    assert.equal((await held?.finished(queuedJob.id, 8000))?.attempts, 1);
  });

  it("other users' jobs start in time while its counter is locked; it runs later", async () => {
    const runAt = new Date(Date.now() + 1000).toISOString();
    const waiting = await (held ?? assert.fail()).enqueue("echo", {}, { runAt });
    let over = false;
    const delays = await whileLocked(
      "user_streams",
      "user_id",
      await userIdOf(waiting),
      async () => {
        const submitting = (async () => {
          while (!over)
            await submitHeld().then(
              () => {},
              () => pause(20),
            );
        })();
        try {
          return await othersWait();
        } finally {
          over = true;
          await submitting;
        }
      },
    );
    assertNotHeldUp(delays);
    assert.equal((await held?.finished(waiting.id, 8000))?.attempts, 1);
  });

  it("running jobs of other users lose no attempt during a lock of 45 s", long, async () => {
    const running = await Promise.all(
      others.map((client) => client.enqueue("echo", { durationMs: 60_000, steps: 4 })),
    );
    const locked = await submitHeld({ durationMs: 60_000 });
    await eventually("all run", async () =>
      (
        await Promise.all([...running.map(({ id }, i) => others[i]?.job(id)), held?.job(locked.id)])
      ).every((job) => job?.status === "STARTED"),
    );
    await whileLocked("queued_jobs", "id", locked.id, () => pause(45_000));
    const ended = await Promise.all(running.map(({ id }, i) => others[i]?.finished(id, 90_000)));
    assert.deepEqual(
      ended.map((job) => [job?.status, job?.attempts]),
      running.map(() => ["SUCCESS", 1]),
    );
  });
});
