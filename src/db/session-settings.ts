import type { Sql } from "postgres";
import { connectionFault } from "./database.js";

/**
 * Settings of every session. They belong to the role: PgBouncer accepts them neither when a client
 * connects nor, between transactions, with SET.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // A plan made while a table was small is kept when the table grows. So index scans are forced. A
  // table without a usable index then looks expensive enough to be compiled, so jit is off.
  enable_seqscan: "off",
  jit: "off",
  // The pool cancels its own long statements; a limit here would also end those of operators. This
  // ends a statement whose process is gone.
  client_connection_check_interval: "1s",
  lock_timeout: "4s",
  idle_in_transaction_session_timeout: "10s",
};

/** Any fixed number works; the same role may be altered only once at a time. */
const LOCK = 5_067_402;

/** Returns true if the role of the connection has all settings in its database. */
export async function hasSessionSettings(sql: Sql): Promise<boolean> {
  const settings = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
  const rows = await sql`
    select from pg_db_role_setting
    where setrole = (select oid from pg_roles where rolname = current_user)
      and setdatabase = (select oid from pg_database where datname = current_database())
      and setconfig @> ${settings}::text[]`;
  return rows.length > 0;
}

/**
 * Gives the role its settings in the database, for all later sessions. PgBouncer would give a
 * session that began without them to other clients, so such sessions are ended. `connect` creates a
 * client of one connection.
 */
export async function giveSessionSettings(connect: () => Sql): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const sql = connect();
    const done = await settle(sql)
      .catch((error: unknown) => {
        if (!ENDED.has(connectionFault(error) ?? "")) throw error;
        return false;
      })
      .finally(() => sql.end({ timeout: 5 }));
    if (done) return;
  }
}

const MAX_TRIES = 10;
const ENDED = new Set(["57P01", "CONNECTION_CLOSED"]);

/**
 * Resolves with true in a session that began with the settings, and otherwise ends the session. It
 * does so within a transaction, because otherwise PgBouncer could direct it to another session.
 * Beware: the driver's `begin` would write to the connection that has ended, and throw uncaught.
 */
async function settle(sql: Sql): Promise<boolean> {
  await sql.unsafe("begin");
  await sql`select pg_advisory_xact_lock(${LOCK})`;
  const hadSettings = await hasSessionSettings(sql);
  if (hadSettings)
    await sql`select pg_terminate_backend(pg_backend_pid())
      where current_setting('enable_seqscan') = 'on'`;
  else {
    const [row] = await sql<{ name: string }[]>`select current_database() as name`;
    await sql.unsafe(alterRole(row?.name ?? ""));
  }
  await sql.unsafe("commit");
  return hadSettings;
}

/** Returns the statements that give the current role its settings in this database. */
export function alterRole(database: string): string {
  const alter = `alter role current_user in database "${database.replaceAll('"', '""')}" set`;
  return Object.entries(SETTINGS)
    .map(([name, value]) => `${alter} ${name} = '${value}'`)
    .join(";");
}
