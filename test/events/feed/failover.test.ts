// Tests a failover to a standby that lacks the last commits, under two running APIs.
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createDatabase } from "../../../src/db/database.js";
import { migrate } from "../../../src/db/migrate.js";
import { startPostgres } from "../../../src/embedded/postgres/start-postgres.js";
import type { EmbeddedServer } from "../../../src/embedded/open-server-folder.js";
import { syncCatalogue } from "../../../src/services/jobs/jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { startStandby, type Standby } from "../../support/stores/standby.js";
import { createTcpProxy, type TcpProxy } from "../../support/stores/tcp-proxy.js";
import {
  createTestClient,
  type EventFields,
  type QueuedJobFields,
  type Stream,
  type TestClient,
} from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const PAGE = "{ queuedJobs(first: 100) { eventCursor nodes { id } } }";
interface Page {
  eventCursor: string;
  nodes: { id: string }[];
}

describe("a failover that loses commits", long, () => {
  const folder = temporaryFolder().path;
  const dataDir = join(folder, "primary");
  let primary: EmbeddedServer;
  let standby: Standby;
  let proxy: TcpProxy;
  let service: TestService;
  before(async () => {
    // PostgreSQL may run as another user than this process.
    chmodSync(folder, 0o711);
    primary = await startPostgres({ dataDir, log: silentLog, durable: false });
    await migrate(primary.url);
    const database = createDatabase({ url: primary.url, connections: 2, applicationName: "test" });
    await syncCatalogue(database, catalogue.values());
    standby = await startStandby({ url: primary.url, dataDir }, join(folder, "standby"));
    proxy = await createTcpProxy(primary.url);
    const store = { url: proxy.url, database, close: () => database.close() };
    service = await startTestService({ workers: 0, store });
  });
  after(async () => {
    await service?.close();
    await proxy?.close();
    await primary?.close();
    await standby?.close();
  });

  const pageOf = async (client: TestClient): Promise<Page> => (await client.get(PAGE)).queuedJobs;
  const codeOf = async (stream: Stream, ms?: number) => {
    const { errors } = await stream.ended(ms);
    return errors?.[0]?.extensions.code;
  };

  it(
    "ends every stream with CURSOR_EXPIRED in 5 s, loses no new event, and agrees on cursors",
    { timeout: 120_000 },
    async (t) => {
      const token = await service.token();
      const urls = [service.url, (await service.addApi()).url];
      const clients = urls.map((url) => createTestClient(url, token));
      const [first, second] = clients as [TestClient, TestClient];
      const silent = await service.person();
      const kept = [await first.enqueue("echo"), await first.enqueue("echo")];
      const [cursor, silentCursor] = [await first.cursor(), await silent.cursor()];
      const streams = [
        ...clients.map((client) => client.events({ after: cursor })),
        ...clients.map((client) => client.events({ id: kept[0]?.id ?? "" })),
        ...urls.map((url) => silent.events({ after: silentCursor, url })),
      ];
      // One event on each stream shows that all are open.
      await silent.enqueue("echo");
      await first.enqueue("echo");
      await Promise.all(streams.map((stream) => stream.next("an event", () => true)));
      await eventually(
        "the standby has it all",
        async () => (await numbersOf(standby.url)).join() === "1,3",
      );
      await standby.unfollow();
      const lost: QueuedJobFields[] = [];
      for (let i = 0; i < 3; i++) lost.push(await first.enqueue("echo"));
      const isLost = ({ queuedJob }: EventFields) => queuedJob.id === lost.at(-1)?.id;
      const { cursor: lostCursor } =
        (await streams[0]?.next("the last event", isLost)) ?? assert.fail();

      proxy.down();
      await primary.close();
      await standby.promote();
      proxy.aim(standby.url);
      proxy.up();
      const back = Date.now();
      const fresh: string[] = [];
      for (let i = 0; i < 3; i++) {
        fresh.push((await eventually("it is accepted", () => second.enqueue("echo"), 5000)).id);
      }
      const codes = await Promise.all(
        streams.map((stream) => codeOf(stream, back + 5000 - Date.now())),
      );
      assert.deepEqual(
        codes,
        streams.map(() => "CURSOR_EXPIRED"),
      );
      t.diagnostic(
        `all ${streams.length} streams ended ${Date.now() - back} ms after the failover`,
      );

      const started = createTestClient((await service.addApi()).url, token);
      const pages = await Promise.all([...clients, started].map(pageOf));
      assert.equal(new Set(pages.map(({ eventCursor }) => eventCursor)).size, 1, "one cursor");
      const shown = pages[0]?.nodes.map(({ id }) => id) ?? [];
      assert.deepEqual(
        fresh.filter((id) => !shown.includes(id)),
        [],
      );
      assert.deepEqual(
        lost.filter(({ id }) => shown.includes(id)),
        [],
      );
      const resumed = [...clients, started].map((client) => ({
        lost: client.events({ after: lostCursor }),
        fresh: client.events({ after: pages[0]?.eventCursor ?? "" }),
      }));
      const last = await started.enqueue("echo");
      for (const stream of resumed) {
        assert.equal(await codeOf(stream.lost), "CURSOR_EXPIRED");
        await stream.fresh.next("it continues", ({ queuedJob }) => queuedJob.id === last.id);
        assert.equal(stream.fresh.events.length, 1);
        stream.fresh.stop();
      }
    },
  );
});

async function numbersOf(url: string): Promise<number[]> {
  const database = createDatabase({ url, connections: 1, applicationName: "test" });
  const rows = await database.sql<
    { seq: number }[]
  >`select last_seq::int as seq from user_streams order by 1`;
  await database.close();
  return rows.map(({ seq }) => seq);
}
