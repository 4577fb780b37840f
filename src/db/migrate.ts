import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres, { type Sql } from "postgres";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { sqlState, type Database } from "./database.js";
import { dropReadOnlyViews, renewReadOnlyRole } from "./read-only-role.js";

const FOLDER = fileURLToPath(new URL("../../../drizzle", import.meta.url));

/**
 * Any fixed number will do; a lock of the session, since the migrator itself is not safe when two
 * start at once.
 */
const LOCK = 5_067_401;
const ASK_AGAIN_MS = 100;
/** Of a big table an index takes its time. */
const TIMEOUT_MS = 15 * 60_000;
/**
 * While a migration waits for a table, everybody else waits behind it: it gives way and tries
 * again.
 */
const LOCK_TIMEOUT_MS = 2000;
const GIVE_WAY_MS = 1000;
/** lock_not_available, deadlock_detected */
const LOCKED = new Set(["55P03", "40P01"]);

/**
 * Applies the pending migrations and renews the role that only reads; many may call this at once,
 * on an empty database too: one works, the others wait.
 */
export async function migrate(
  url: string,
  { lockTimeoutMs = LOCK_TIMEOUT_MS } = {},
): Promise<void> {
  const client = postgres(url, {
    max: 1,
    connect_timeout: 10,
    onnotice: () => {},
    connection: { application_name: "photo-service migrate" },
  });
  try {
    await takeLock(client);
    const applied = await lastApplied(client);
    if (applied !== null) await buildIndexes(client, FOLDER, applied);
    // Not before the indexes: what is made concurrently may wait, since nobody waits behind it.
    await client`select set_config('lock_timeout', ${String(lockTimeoutMs)}, false)`;
    await givingWay(async () => {
      if (!isCurrent(applied)) await dropReadOnlyViews(client);
      await applyMigrations(drizzle({ client }), { migrationsFolder: FOLDER });
      await renewReadOnlyRole(client, url);
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}

/**
 * Again and again while tables are locked: each try is undone as a whole, and lets those through
 * who wait behind it.
 */
async function givingWay(work: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; ; await setTimeout(GIVE_WAY_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!LOCKED.has(sqlState(error) ?? "") || Date.now() > deadline) throw error;
    }
  }
}

/**
 * Asked for again and again: a statement that waits for it would be waited for by an index that is
 * made concurrently.
 */
async function takeLock(sql: Sql): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; ; await setTimeout(ASK_AGAIN_MS)) {
    const [row] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as taken`;
    if (row?.taken) return;
    if (Date.now() > deadline)
      throw new Error(
        "Another migration of this database has been under way for " +
          `${TIMEOUT_MS / 60_000} minutes: see pg_stat_activity, application_name ` +
          `"photo-service migrate"`,
      );
  }
}

/**
 * Whether every migration of this version was applied; a newer database, in the middle of a
 * roll-out, will do.
 */
export async function isMigrated({ sql }: Pick<Database, "sql">): Promise<boolean> {
  return isCurrent(await lastApplied(sql));
}

/** When the last one that was applied was made; null in a database that never saw any. */
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

// A migration runs in a transaction, in which PostgreSQL makes an index only by locking its table
// against all who write. So the indexes of the migrations that are to be applied are made
// beforehand, concurrently, and the migration, which says CREATE INDEX IF NOT EXISTS, finds them
// there.
const INDEX = /^(?:\s|--[^\n]*\n)*(CREATE (?:UNIQUE )?INDEX) IF NOT EXISTS "(\w+)" (ON "[^;]+)/;
/**
 * undefined_table, undefined_column: the index belongs to what the migrations are about to make.
 */
const NOT_THERE_YET = new Set(["42P01", "42703"]);

/**
 * Makes the indexes of the migrations in `folder` that are newer than `appliedAt`, while others
 * go on writing.
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
  // What an attempt that was broken off leaves behind is kept up by every writer, and serves no
  // reader.
  const [broken] =
    await sql`select from pg_index where indexrelid = to_regclass(${`public.${name}`})
      and not indisvalid`;
  if (broken) await sql.unsafe(`drop index concurrently public.${name}`);
  try {
    await sql.unsafe(`${create} CONCURRENTLY IF NOT EXISTS "${name}" ${on}`);
  } catch (error) {
    if (!NOT_THERE_YET.has(sqlState(error) ?? "")) throw error;
  }
}
