import type { Sql } from "postgres";
import { inTransaction } from "./database.js";

/**
 * Settings of every session. They belong to the role: PgBouncer accepts them neither when a client
 * connects nor, between transactions, with SET.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // A plan made while a table was small is kept when the table grows. So index scans are forced. A
  // table without a usable index then looks expensive enough to be compiled, so jit is off.
  enable_seqscan: "off",
  jit: "off",
  statement_timeout: "5s",
  lock_timeout: "4s",
  idle_in_transaction_session_timeout: "10s",
};

/** Any fixed number works; the same role may be altered only once at a time. */
const LOCK = 5_067_402;

/** Returns true if the role of the connection has all settings in its database. */
export async function hasSessionSettings(sql: Sql): Promise<boolean> {
  const settings = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
  const rows = await sql`
    select from pg_db_role_setting where setrole = current_user::regrole
      and setdatabase = (select oid from pg_database where datname = current_database())
      and setconfig @> ${settings}::text[]`;
  return rows.length > 0;
}

/** Gives the role of the connection its settings in the database, for all later sessions. */
export async function giveSessionSettings(sql: Sql): Promise<void> {
  await inTransaction(sql, async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    if (await hasSessionSettings(tx)) return;
    const [row] = await tx<{ name: string }[]>`select current_database() as name`;
    await tx.unsafe(alterRole(row?.name ?? ""));
  });
  // PgBouncer would give this session, which began without the settings, to other clients.
  await sql`select pg_terminate_backend(pg_backend_pid())
    where current_setting('enable_seqscan') = 'on'`.catch(() => {});
}

/** Returns the statements that give the current role its settings in this database. */
export function alterRole(database: string): string {
  const alter = `alter role current_user in database "${database.replaceAll('"', '""')}" set`;
  return Object.entries(SETTINGS)
    .map(([name, value]) => `${alter} ${name} = '${value}'`)
    .join(";");
}
