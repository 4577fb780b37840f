// Tests a service that knows a primary and its standby: as a read replica, and after a promotion.
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import postgres, { type Sql } from "postgres";
import { available, createDatabase, type Database } from "../../../src/db/database.js";
import { migrate } from "../../../src/db/migrate.js";
import { openReplica } from "../../../src/db/replica.js";
import { startPostgres } from "../../../src/embedded/postgres/start-postgres.js";
import type { EmbeddedServer } from "../../../src/embedded/open-server-folder.js";
import { syncCatalogue } from "../../../src/services/jobs/jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { scrape, OPERATOR_PASSWORD } from "../../support/clients/scrape.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { startStandby, type Standby } from "../../support/stores/standby.js";
import { playStory } from "./play-story.js";

const pageQuery = (field: string) => `query ($after: String) {
  queuedJobs(first: 1, after: $after) { ${field} nodes { id status } pageInfo { endCursor } } }`;

describe("with a primary and a standby", long, () => {
  const folder = temporaryFolder().path;
  const dataDir = join(folder, "primary");
  let primary: EmbeddedServer;
  let standby: Standby;
  let onStandby: Sql;
  let database: Database;
  let service: TestService;
  before(async () => {
    // PostgreSQL may run as another user than this process.
    chmodSync(folder, 0o711);
    primary = await startPostgres({ dataDir, log: silentLog, durable: false });
    await migrate(primary.url);
    database = createDatabase({ url: primary.url, connections: 2, applicationName: "test" });
    await syncCatalogue(database, catalogue.values());
    standby = await startStandby({ url: primary.url, dataDir }, join(folder, "standby"));
    onStandby = postgres(standby.url, { max: 1, onnotice: () => {} });
    const { host: standbyHost } = new URL(standby.url);
    const both = new URL(primary.url);
    const url =
      primary.url.replace(both.host, `${standbyHost},${both.host}`) +
      "?target_session_attrs=read-write";
    service = await startTestService({
      store: { url, database, close: () => database.close() },
      env: { DATABASE_REPLICA_URL: standby.url, ADMIN_PASSWORD: OPERATOR_PASSWORD },
    });
  });
  after(async () => {
    await service?.close();
    await onStandby?.end({ timeout: 5 });
    await primary?.close();
    await standby?.close();
  });
  /** A pause is only requested at first: what arrives before it begins is still replayed. */
  async function pause(): Promise<void> {
    await onStandby`select pg_wal_replay_pause()`;
    const state = () =>
      onStandby<{ state: string }[]>`select pg_get_wal_replay_pause_state() as state`;
    await eventually("the replay pauses", async () => (await state())[0]?.state === "paused");
  }
  const resume = () => onStandby`select pg_wal_replay_resume()`;

  it("reads the replica while it is at most so much behind, and else the primary", async () => {
    const replica = createDatabase({ url: standby.url, connections: 2, applicationName: "test" });
    const changes: boolean[] = [];
    const onChange = (usable: boolean) => void changes.push(usable);
    const options = { primary: database, replica, onChange, checkMs: 50, maxLagMs: 1000 };
    const recent = openReplica(options);
    const isReplica = () =>
      recent.read(({ sql }) =>
        available(async () => (await sql`select pg_is_in_recovery() as yes`)[0]?.["yes"] === true),
      );
    try {
      assert.equal(await isReplica(), false, "nothing is known of it yet");
      await eventually("the replica is read", isReplica, 5000);
      assert.ok((recent.lagSeconds() ?? 1) < 1);
      await pause();
      await database.sql`update histories set id = id`;
      await eventually("the primary is read", async () => !(await isReplica()), 5000);
      assert.ok((recent.lagSeconds() ?? 0) > 1);
      await resume();
      await eventually("the replica is read again", isReplica, 5000);
      await replica.close();
      assert.equal(await isReplica(), false, "it falls back at once");
      await eventually("it is reported", () => changes.at(-1) === false, 5000);
      assert.equal(changes[0], true);
    } finally {
      recent.close();
      await replica.close();
    }
  });

  it("shows later pages and searches of the replica, and never an older page than the first", async () => {
    const person = await service.person();
    const ids = [(await person.enqueue("echo")).id, (await person.enqueue("echo")).id];
    for (const id of ids) await person.finished(id);
    const search = async () =>
      (
        await fetch(`${service.url}/admin/jobs?user=${(await person.get("{ me { id } }")).me.id}`, {
          headers: {
            authorization: `Basic ${Buffer.from(`admin:${OPERATOR_PASSWORD}`).toString("base64")}`,
          },
        })
      ).text();
    const lag = async () => (await scrape(service.url)).value("photos_replica_lag_seconds");
    await eventually("the replica is used", async () => (await lag()) < 2, 5000);
    const read = async (behind: string | null, cursor: boolean) =>
      (await person.get(pageQuery(cursor ? "eventCursor" : ""), { after: behind })).queuedJobs as {
        nodes: { id: string; status: string }[];
        pageInfo: { endCursor: string };
      };

    const first = await read(null, true);
    // The search finds a QueuedJob before its last event has arrived.
    const eventsOn = async (sql: Sql) =>
      (await sql`select sum(last_seq) as n from user_streams`)[0]?.["n"] as string;
    await eventually(
      "the replica has it all",
      async () => (await eventsOn(onStandby)) === (await eventsOn(database.sql)),
    );
    assert.ok((await search()).includes(ids[1] ?? ""));
    await pause();
    const later = { runAt: new Date(Date.now() + 3_600_000).toISOString() };
    const unseen = await person.enqueue("echo", {}, later);
    await person.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id: ids[0] });
    assert.ok(!(await search()).includes(unseen.id), "the search asks the replica");
    const old = first.pageInfo.endCursor;
    assert.deepEqual((await read(old, false)).nodes, [{ id: ids[0], status: "SUCCESS" }]);
    assert.deepEqual((await read(old, true)).nodes, [], "a page with an eventCursor is current");
    const newest = await read(null, true);
    assert.equal(newest.nodes[0]?.id, unseen.id);
    const second = await read(newest.pageInfo.endCursor, false);
    assert.equal(second.nodes[0]?.id, ids[1]);
    assert.deepEqual((await read(second.pageInfo.endCursor, false)).nodes, []);
    await resume();
  });

  it("leaves a demoted primary within 5 s, and the main flow works on the new one", async (t) => {
    const person = await service.person();
    const stream = person.events({ after: await person.cursor() });
    await person.enqueue("echo");
    await stream.next("the stream is open", () => true);
    // A lost account would be closed as deleted, and created again by its next request.
    const userId = (await person.get("{ me { id } }")).me.id as string;
    await eventually(
      "the standby has the account",
      async () => (await onStandby`select from users where id = ${userId}`).length === 1,
    );
    await database.sql.unsafe("alter system set default_transaction_read_only = on");
    await database.sql`select pg_reload_conf()`;
    const demotedAt = Date.now();
    await standby.promote();
    const accepted = await eventually("it is accepted", () => person.enqueue("echo"), 5000);
    t.diagnostic(`a job is accepted ${Date.now() - demotedAt} ms after the demotion`);
    const [row] = await onStandby`select id from queued_jobs where id = ${accepted.id}`;
    assert.ok(row, "the new primary has it");
    // The history may have lost commits, so clients begin again.
    const { errors } = await stream.ended(5000);
    assert.equal(errors?.[0]?.extensions.code, "CURSOR_EXPIRED");
    await person.finished(accepted.id);
    await playStory(service);
  });
});
