// A migration runs in a transaction, in which PostgreSQL makes an index only by locking its table
// against all who write. So the indexes of the migrations that are to be applied are made
// beforehand, concurrently, and the migration, which says CREATE INDEX IF NOT EXISTS, finds them
// there.
import { readMigrationFiles } from "drizzle-orm/migrator";
import type { Sql } from "postgres";
import { sqlState } from "./database.js";

const INDEX = /^(?:\s|--[^\n]*\n)*(CREATE (?:UNIQUE )?INDEX) IF NOT EXISTS "(\w+)" (ON "[^;]+)/;
/**
 * undefined_table, undefined_column: the index belongs to what the migrations are about to make.
 */
const NOT_THERE_YET = new Set(["42P01", "42703"]);

/**
 * Makes the indexes of the migrations in `folder` that are newer than `lastApplied`, while others
 * go on writing.
 */
export async function buildIndexes(sql: Sql, folder: string, lastApplied: number): Promise<void> {
  const pending = readMigrationFiles({ migrationsFolder: folder }).filter(
    ({ folderMillis }) => folderMillis > lastApplied,
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
