// The event log is partitioned by the hour in which an event was inserted, so that old events are
// dropped as whole tables. Rows of hours without a partition go to the default partition.
import { setTimeout as pause } from "node:timers/promises";
import type { Sql, TransactionSql } from "postgres";
import { isLockTimeout, sqlState } from "./database.js";

export interface EventPartition {
  name: string;
  /** The hour since 1970 at which it ends. */
  endHour: number;
}

/** Its end follows from its rows. */
export const DEFAULT_EVENT_PARTITION = "queued_job_events_default";

/** Hours of a partition, and the least time for which partitions are made ahead. */
const HOURS = 6;
/** All statements on events queue behind one that waits for such a lock. */
const LOCK_TIMEOUT = "50ms";
const MAX_TRIES = 20;
const PAUSE_MS = 250;
/** duplicate_table, unique_violation: another process makes the same partition. */
const ALREADY_MADE = new Set(["42P07", "23505"]);

/** Lists the partitions without the default one, oldest first. */
export async function readEventPartitions(sql: Sql): Promise<EventPartition[]> {
  return [
    ...(await sql<EventPartition[]>`
      select c.relname as name,
        (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''?(\\d+)'))[1]::int as "endHour"
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'public.queued_job_events'::regclass
        and c.relname <> ${DEFAULT_EVENT_PARTITION} order by 2`),
  ];
}

/**
 * Makes the partitions of the next hours. It never covers the current hour when no partition has
 * it: its events are in the default partition already.
 */
export async function makeEventPartitions(sql: Sql, hours = HOURS): Promise<void> {
  const partitions = await readEventPartitions(sql);
  const [row] = await sql<{ hour: number }[]>`
    select floor(date_part('epoch', clock_timestamp()) / 3600)::int as hour`;
  const hour = row?.hour ?? 0;
  let start = Math.max(partitions.at(-1)?.endHour ?? 0, hour + 1);
  for (; start <= hour + Math.max(hours, HOURS); start += hours)
    await makePartition(sql, start, start + hours).catch((error: unknown) => {
      if (!ALREADY_MADE.has(sqlState(error) ?? "")) throw error;
    });
}

/**
 * Attaches a finished table, which does not lock the log against reads and writes. Autovacuum also
 * sees inserts, so that the table can be summed from its index.
 */
async function makePartition(sql: Sql, startHour: number, endHour: number): Promise<void> {
  const name = `queued_job_events_${startHour}`;
  await withShortLocks(sql, async (transaction) => {
    await transaction.unsafe(`create table ${name} (like queued_job_events including all)`);
    await transaction.unsafe(
      `alter table ${name} set (autovacuum_vacuum_scale_factor = 0.02, ` +
        "autovacuum_vacuum_insert_scale_factor = 0.05)",
    );
    await transaction.unsafe(protect(name));
    await transaction.unsafe(
      `alter table queued_job_events attach partition ${name} ` +
        `for values from (${startHour}) to (${endHour})`,
    );
  });
}

/** The released version deletes by ctid, which is the same in several partitions. */
function protect(name: string): string {
  return (
    `create trigger skip_delete_by_ctid before delete on ${name} for each row ` +
    "when (current_query() like '%ctid = any%' and current_query() not like '%tableoid%') " +
    "execute function skip_delete_by_ctid()"
  );
}

/** Tables that were partitions and whose bytes are not subtracted yet. */
const RETIRED_EVENTS = "^retired_events_[0-9]+$";

/**
 * Removes a partition from the log; its table remains, under a name of RETIRED_EVENTS. A new one
 * takes the place of the default partition.
 */
export function detachEventPartition(sql: Sql, { name, endHour }: EventPartition): Promise<void> {
  return withShortLocks(sql, async (transaction) => {
    await transaction.unsafe(`alter table queued_job_events detach partition ${name}`);
    await transaction.unsafe(`alter table ${name} rename to retired_events_${endHour}`);
    if (name !== DEFAULT_EVENT_PARTITION) return;
    const later = await transaction.unsafe(
      `select from retired_events_${endHour} where logged_hour >= ${endHour} limit 1`,
    );
    if (later.length > 0) throw new Error("The default partition got new events; it stays");
    await transaction.unsafe(`create table ${name} partition of queued_job_events default`);
    await transaction.unsafe(protect(name));
  });
}

export async function readRetiredEvents(sql: Sql | TransactionSql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r'
      and relname ~ ${RETIRED_EVENTS} order by 1`;
  return rows.map(({ name }) => name);
}

/** Runs `work` in a transaction, again and again while locks are taken. */
async function withShortLocks(
  sql: Sql,
  work: (transaction: TransactionSql) => Promise<void>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await sql.begin(async (transaction) => {
        await transaction`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
        await work(transaction);
      });
      return;
    } catch (error) {
      if (tries === MAX_TRIES || !isLockTimeout(error)) throw error;
    }
    await pause(PAUSE_MS);
  }
}

/**
 * Prepares the unpartitioned table of an earlier version. Its rows get the hour 0, and a validated
 * check proves it, so that the migration attaches the table without reading it. The check holds for
 * every row that such a version inserts, however long the migration waits.
 */
export async function prepareFirstPartition(
  sql: Sql,
  { withoutLimits }: { withoutLimits(statement: string): Promise<void> },
): Promise<void> {
  const [table] = await sql<{ isPrepared: boolean }[]>`
    select exists (select from pg_constraint where conrelid = c.oid
      and conname = 'queued_job_events_unpartitioned') as "isPrepared"
    from pg_class c where oid = to_regclass('public.queued_job_events') and relkind = 'r'`;
  if (!table) return;
  if (!table.isPrepared) {
    await withShortLocks(sql, async (transaction) => {
      await transaction.unsafe(
        "alter table queued_job_events " +
          "add column if not exists logged_hour integer default 0 not null, " +
          "add constraint queued_job_events_unpartitioned check (logged_hour = 0) not valid",
      );
    });
  }
  await withoutLimits(
    "alter table queued_job_events validate constraint queued_job_events_unpartitioned",
  );
}
