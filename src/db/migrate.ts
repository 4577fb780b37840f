import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres, { type Sql, type TransactionSql } from "postgres";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { sqlState, type Database } from "./database.js";
import { driverArguments } from "./driver-arguments.js";
import { makeEventPartitions, prepareFirstPartition } from "./event-partitions.js";
import { dropReadOnlyViews, renewReadOnlyRole } from "./read-only-role.js";
import { giveSessionSettings, hasSessionSettings } from "./session-settings.js";

const FOLDER = fileURLToPath(new URL("../../../drizzle", import.meta.url));

/** Any fixed number works. The migrator itself is unsafe when two start at once. */
const LOCK = 5_067_401;
const LOCK_POLL_MS = 100;
/** An index on a large table takes minutes to build. */
const TIMEOUT_MS = 15 * 60_000;
/**
 * All statements queue behind a migration that waits for a table lock. So it stops waiting and
 * retries.
 */
const LOCK_TIMEOUT_MS = 2000;
const RETRY_MS = 1000;
/** lock_not_available, deadlock_detected */
const LOCKED = new Set(["55P03", "40P01"]);

/**
 * Applies the pending migrations, makes partitions for events, and renews the read-only role.
 * Several processes may call this at once, also on an empty database: one works, the others wait.
 */
export async function migrate(
  url: string,
  { lockTimeoutMs = LOCK_TIMEOUT_MS } = {},
): Promise<void> {
  await giveSessionSettings(() => connect(url));
  const [holder, client] = [connect(url), connect(url)];
  try {
    await whileLocked(holder, async () => {
      const applied = await lastApplied(client);
      if (applied !== null) {
        const unlimited = (statement: string) => withoutLimits(client, statement);
        await retryWhileLocked(() => prepareFirstPartition(client, { withoutLimits: unlimited }));
        await buildIndexes(client, FOLDER, applied);
      }
      const limited = limitTransactions(client, lockTimeoutMs);
      await retryWhileLocked(async () => {
        if (!isCurrent(applied)) await limited.begin(dropReadOnlyViews);
        await applyMigrations(drizzle({ client: limited }), { migrationsFolder: FOLDER });
        await makeEventPartitions(limited);
        await renewReadOnlyRole(limited);
      });
    });
  } finally {
    await Promise.all([holder.end({ timeout: 5 }), client.end({ timeout: 5 })]);
  }
}

function connect(url: string): Sql {
  return postgres(
    ...driverArguments(url, {
      max: 1,
      connect_timeout: 10,
      onnotice: () => {},
      connection: { application_name: "photo-service migrate" },
    }),
  );
}

/**
 * Returns the same client, whose transactions have this limit for locks and none for statements.
 * PgBouncer keeps no setting between transactions.
 */
function limitTransactions(sql: Sql, lockTimeoutMs: number): Sql {
  const begin = (work: (transaction: TransactionSql) => Promise<unknown>) =>
    sql.begin(async (transaction) => {
      await transaction`select set_config('statement_timeout', '0', true),
        set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`;
      return work(transaction);
    });
  return new Proxy(sql, {
    get: (target, name, receiver) =>
      name === "begin" ? begin : (Reflect.get(target, name, receiver) as unknown),
  });
}

/**
 * Retries while tables are locked. Each failed try is undone as a whole and lets waiting statements
 * run.
 */
async function retryWhileLocked(work: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; ; await setTimeout(RETRY_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!LOCKED.has(sqlState(error) ?? "") || Date.now() > deadline) throw error;
    }
  }
}

/**
 * Runs `work` while a transaction of `holder` holds the lock: through PgBouncer, a lock of the
 * session would stay with the server. It polls, because a concurrent index build would wait for a
 * session that is blocked on the lock.
 */
async function whileLocked(holder: Sql, work: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; ; await setTimeout(LOCK_POLL_MS)) {
    const done = await holder.begin(async (transaction) => {
      // Beware: a statement with parameters keeps its snapshot until the next one, and a concurrent
      // index build would wait for it.
      const [row] = await transaction.unsafe<{ taken: boolean }[]>(
        "select set_config('idle_in_transaction_session_timeout', '0', true), " +
          `pg_try_advisory_xact_lock(${LOCK}) as taken`,
      );
      if (row?.taken) await work();
      return row?.taken;
    });
    if (done) return;
    if (Date.now() > deadline)
      throw new Error(
        "Another migration of this database has been running for " +
          `${TIMEOUT_MS / 60_000} minutes; find it in pg_stat_activity, application_name ` +
          `"photo-service migrate"`,
      );
  }
}

/**
 * True if every migration of this version was applied, and the sessions have their settings. A
 * newer database counts too: it occurs during a roll-out.
 */
export async function isMigrated({ sql }: Pick<Database, "sql">): Promise<boolean> {
  return isCurrent(await lastApplied(sql)) && (await hasSessionSettings(sql));
}

/** Returns when the last applied migration was made; null in a database without migrations. */
async function lastApplied(sql: Sql): Promise<number | null> {
  const [table] = await sql<
    { name: string | null }[]
  >`select to_regclass('drizzle.__drizzle_migrations')::text as name`;
  if (!table?.name) return null;
  const [last] = await sql<
    { when: string | null }[]
  >`select max(created_at) as when from drizzle.__drizzle_migrations`;
  return Number(last?.when ?? 0);
}

function isCurrent(applied: number | null): boolean {
  const journal = JSON.parse(readFileSync(`${FOLDER}/meta/_journal.json`, "utf8")) as {
    entries: { when: number }[];
  };
  return applied !== null && applied >= Math.max(...journal.entries.map((entry) => entry.when));
}

// A migration runs in a transaction, where building an index locks its table against writes. So the
// indexes of pending migrations are built concurrently beforehand. The migration says CREATE INDEX
// IF NOT EXISTS and finds them.
const INDEX = /^(?:\s|--[^\n]*\n)*(CREATE (?:UNIQUE )?INDEX) IF NOT EXISTS "(\w+)" (ON "[^;]+)/;
/**
 * undefined_table, undefined_column: the index belongs to a table or column that the migrations
 * will create.
 */
const NOT_THERE_YET = new Set(["42P01", "42703"]);

/**
 * Builds the indexes of the migrations in `folder` that are newer than `appliedAt`, without
 * blocking writes.
 */
async function buildIndexes(sql: Sql, folder: string, appliedAt: number): Promise<void> {
  const pending = readMigrationFiles({ migrationsFolder: folder }).filter(
    ({ folderMillis }) => folderMillis > appliedAt,
  );
  for (const statement of pending.flatMap((migration) => migration.sql)) {
    const [, create, name, on] = INDEX.exec(statement) ?? [];
    if (create && name && on) await buildIndex(sql, { create, name, on });
  }
}

async function buildIndex(
  sql: Sql,
  { create, name, on }: Record<"create" | "name" | "on", string>,
): Promise<void> {
  // An interrupted build leaves an invalid index, which every write maintains and no read uses.
  const [broken] =
    await sql`select from pg_index where indexrelid = to_regclass(${`public.${name}`})
      and not indisvalid`;
  if (broken) await withoutLimits(sql, `drop index concurrently public.${name}`);
  try {
    await withoutLimits(sql, `${create} CONCURRENTLY IF NOT EXISTS "${name}" ${on}`);
  } catch (error) {
    if (!NOT_THERE_YET.has(sqlState(error) ?? "")) throw error;
  }
}

/**
 * Runs a statement that no transaction may contain, without the limits of the session. It may wait
 * for locks, because no statement waits behind it. All three are sent at once: PgBouncer gives
 * their server to no other client before the last has ended.
 */
async function withoutLimits(sql: Sql, statement: string): Promise<void> {
  const [, outcome] = await Promise.allSettled([
    sql.unsafe("set statement_timeout = 0; set lock_timeout = 0"),
    sql.unsafe(statement),
    sql.unsafe("reset statement_timeout; reset lock_timeout"),
  ]);
  if (outcome.status === "rejected") throw outcome.reason;
}
