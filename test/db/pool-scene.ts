import { createDatabase, type Database, type DatabaseOptions } from "../../src/db/database.js";
import { createTestDatabase } from "../support/stores/test-database.js";

export const AWAY = {
  code: "SERVICE_UNAVAILABLE",
  message: "The database is unavailable; try again in a moment.",
};

export interface PoolScene {
  url: string;
  /** Database of the tests themselves. */
  database: Database;
  /** Opens a database with one connection; the scene closes it. */
  open(options?: Partial<DatabaseOptions>): Database;
  /** While `work` runs, `waitForLock` waits. */
  lock(work: () => Promise<void>): Promise<void>;
  waitForLock(database: Database): PromiseLike<object[]>;
  /** Returns the number of connections of all opened databases that wait for the lock. */
  locked(): Promise<number>;
  /** Returns the rows of the table `written`. */
  written(): Promise<number[]>;
  close(): Promise<void>;
}

const NAME = "pool under test";

export async function createPoolScene(): Promise<PoolScene> {
  const store = await createTestDatabase();
  const { sql } = store.database;
  const opened: Database[] = [];
  await sql`create table written (n int)`;
  return {
    url: store.url,
    database: store.database,
    open(options = {}) {
      const name = { applicationName: NAME };
      const database = createDatabase({ url: store.url, connections: 1, ...name, ...options });
      opened.push(database);
      return database;
    },
    lock: (work) =>
      sql.begin(async (tx) => {
        await tx`lock table duties`;
        await work();
      }),
    waitForLock: (database) => database.sql`select from duties`,
    async locked() {
      const [row] = await sql<{ n: number }[]>`
        select count(*)::int as n from pg_stat_activity
        where application_name = ${NAME} and wait_event_type = 'Lock'`;
      return row?.n ?? 0;
    },
    async written() {
      const rows = await sql<{ n: number }[]>`select n from written order by n`;
      return rows.map(({ n }) => n);
    },
    async close() {
      await Promise.all(opened.map((database) => database.close()));
      await store.close();
    },
  };
}
