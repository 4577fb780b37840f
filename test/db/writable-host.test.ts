import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { available, createDatabase, sqlState, type Database } from "../../src/db/database.js";
import { eventually } from "../support/runner/eventually.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";
import { createTcpProxy, type TcpProxy } from "../support/stores/tcp-proxy.js";

describe("the primary among several hosts", () => {
  let store: TestDatabase;
  let proxies: [TcpProxy, TcpProxy];
  let url: string;
  before(async () => {
    store = await createTestDatabase();
    proxies = [await createTcpProxy(store.url), await createTcpProxy(store.url)];
    const hosts = proxies.map((proxy) => new URL(proxy.url).host);
    const [host] = hosts;
    url = `${proxies[0].url.replace(host ?? "", hosts.join())}?target_session_attrs=read-write`;
  });
  beforeEach(() => proxies.forEach((proxy) => proxy.up()));
  after(async () => {
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await store.close();
  });
  async function withDatabase(work: (database: Database, moves: string[]) => Promise<void>) {
    const moves: string[] = [];
    const onMoved = (host: string) => void moves.push(host);
    const database = createDatabase({ url, connections: 2, applicationName: "test", onMoved });
    await work(database, moves).finally(() => database.close());
  }

  it("is found although another host is away, and is SERVICE_UNAVAILABLE when all are", async () => {
    proxies[0].down();
    await withDatabase((database) => database.ping());
    proxies[1].down();
    await withDatabase((database) =>
      assert.rejects(database.ping(), { code: "SERVICE_UNAVAILABLE" }),
    );
  });

  it("is left for another host within 5 s, and what waits for it is answered", async () => {
    const [first, second] = proxies;
    await withDatabase(async (database, moves) => {
      second.down();
      await database.ping();
      second.up();
      first.down();
      await eventually("the other host is used", () => database.ping().then(() => true), 5000);
      await eventually("it is reported", () => moves.length > 0, 5000);
      assert.deepEqual(moves, [new URL(second.url).host]);
    });
  });

  it("is none of the hosts that accept no writes", async () => {
    const { sql } = store.database;
    const [row] = await sql<{ name: string }[]>`select current_database() as name`;
    const role = `alter role current_user in database ${row?.name}`;
    await sql.unsafe(`${role} set default_transaction_read_only = on`);
    await withDatabase(async (database) => {
      const error: unknown = await available(() => database.sql`select 1`).catch(
        (reason: unknown) => reason,
      );
      assert.equal(sqlState(error), "25006");
    });
    await sql.unsafe(`${role} reset default_transaction_read_only`);
  });
});
