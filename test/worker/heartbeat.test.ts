import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import {
  createWorkerRegister,
  type WorkerRegister,
} from "../../src/services/operators/worker-register.js";
import { Heartbeat } from "../../src/worker/heartbeat.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";

const NAME = "host:1:a";
const BY = { actor: "admin", requestId: "request" };

describe("the heartbeat of a worker", () => {
  let store: TestDatabase;
  let register: WorkerRegister;
  let heartbeat: Heartbeat;
  before(async () => {
    store = await createTestDatabase();
    register = createWorkerRegister(store.database);
  });
  afterEach(() => heartbeat.close());
  after(() => store.close());

  /** A worker that only notes whether it drains. */
  function open(beat: WorkerRegister["beat"] = register.beat) {
    const worker = {
      drains: false,
      isLeaving: () => worker.drains,
      drain: (on: boolean) => {
        worker.drains = on;
      },
    };
    heartbeat = new Heartbeat({
      register: { beat },
      about: {
        name: NAME,
        version: "0.1.0",
        revision: "abc",
        host: "host",
        pid: 1,
        tasks: 100,
        children: 2,
      },
      leases: { ids: [] },
      log: silentLog,
      intervalMs: 10,
    });
    heartbeat.start(worker);
    return worker;
  }
  const stateOf = async () => (await register.list()).find(({ name }) => name === NAME)?.state;

  it("reports the state, carries out the order to drain, and reports the end", async () => {
    const worker = open();
    await eventually("it runs", async () => (await stateOf()) === "running");
    await register.order(NAME, true, BY);
    await eventually("it drains", async () => (await stateOf()) === "draining" && worker.drains);
    await register.order(NAME, false, BY);
    await eventually("it runs again", async () => (await stateOf()) === "running");
    assert.equal(worker.drains, false);
    await heartbeat.close();
    assert.equal(await stateOf(), "stopped");
  });

  it("names what is paused", async () => {
    const { sql } = store.database;
    open();
    assert.equal(heartbeat.describePauses(), null);
    await sql`insert into pauses (kind, subject, at, actor, reason) values
      ('JOB', 'crop', now(), 'admin', ''), ('JOB', 'echo', now(), 'admin', ''),
      ('USER', gen_random_uuid(), now(), 'admin', '')`;
    await eventually(
      "they are named",
      () =>
        heartbeat.describePauses() === "paused by an operator: the Job crop, the Job echo, 1 user",
    );
    await sql`delete from pauses`;
    await eventually("nothing is named", () => heartbeat.describePauses() === null);
  });

  it("goes on after it could not be recorded, and keeps the orders until then", async () => {
    let isAway = false;
    const worker = open((report) =>
      isAway ? Promise.reject(new Error("PostgreSQL is away")) : register.beat(report),
    );
    await eventually("it runs", async () => (await stateOf()) === "running");
    await register.order(NAME, true, BY);
    await eventually("it drains", () => worker.drains);
    isAway = true;
    await register.order(NAME, false, BY);
    await eventually("heartbeats fail", async () => {
      const [row] = await store.database.sql<{ seconds: number }[]>`
        select extract(epoch from clock_timestamp() - heartbeat_at)::float8 as seconds
        from workers where name = ${NAME}`;
      return (row?.seconds ?? 0) > 0.2;
    });
    assert.equal(worker.drains, true);
    isAway = false;
    await eventually("it runs again", () => !worker.drains);
  });
});
