import { setTimeout as pause } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { groupColumns, type LogRow } from "../checks/read-tables.js";

/** A copy of the growing event log, read before rows are purged. */
export interface LogTail {
  /** Reads the remaining rows; returns all events by user and number. */
  close(): Promise<LogRow[]>;
  /** Longest time in seconds that an expired row existed. */
  readonly latestSeconds: number;
}

const INTERVAL_MS = 500;

/** Follows the log of every user through a direct connection without network faults. */
export function followLog(url: string, ttlSeconds: number): LogTail {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
  const rows: LogRow[] = [];
  const positions = new Map<string, number>();
  let latestSeconds = 0;
  let closed = false;

  async function read(): Promise<void> {
    for (const row of await readBehind(sql, positions)) {
      rows.push(row);
      positions.set(row.userId, Math.max(row.seq, positions.get(row.userId) ?? 0));
    }
    latestSeconds = Math.max(latestSeconds, await readLateness(sql, ttlSeconds));
  }

  async function follow(): Promise<void> {
    while (!closed) {
      // The server may be down or frozen by a fault; the next read catches up.
      await read().catch(() => {});
      await pause(INTERVAL_MS);
    }
  }

  const following = follow();
  return {
    get latestSeconds() {
      return latestSeconds;
    },
    async close() {
      closed = true;
      await following;
      await read();
      await sql.end({ timeout: 5 });
      return rows.toSorted((a, b) => a.userId.localeCompare(b.userId) || a.seq - b.seq);
    },
  };
}

function readBehind(sql: Sql, positions: ReadonlyMap<string, number>): Promise<LogRow[]> {
  return sql<LogRow[]>`
    select e.user_id as "userId", e.seq::float8 as seq, e.queued_job_id as "jobId", e.type,
      (e.snapshot->>'version')::int as version,
      e.snapshot->>'status' as status, (e.snapshot->>'attempts')::int as attempts,
      ${groupColumns(sql)}
    from user_streams s
    left join unnest(${[...positions.keys()]}::uuid[], ${[...positions.values()]}::float8[]) as
    p(user_id, seq) on p.user_id = s.user_id
    join queued_job_events e on e.user_id = s.user_id and e.seq > coalesce(p.seq, 0)
    order by e.user_id, e.seq`;
}

async function readLateness(sql: Sql, ttlSeconds: number): Promise<number> {
  const [row] = await sql<{ late: number }[]>`
    select greatest(
      (select extract(epoch from now() - min(expires_at)) from queued_jobs),
      (select extract(epoch from now() - min(at)) - ${ttlSeconds}
      from queued_job_events), 0)::float8 as late`;
  return row?.late ?? 0;
}
