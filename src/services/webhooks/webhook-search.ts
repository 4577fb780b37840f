// Finds users with undelivered events. It reads an index that exists anyway, and no job that is
// accepted, run or reported does anything for it.
import type { Fragment, Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import { FIRST_ID } from "../reads/ids.js";

export type WebhookSearch = ReturnType<typeof createWebhookSearch>;

export interface WebhookSearchDeps {
  database: Pick<Database, "sql">;
  jobTtlSeconds: number;
}

/** Time before the last search that is searched again, because transactions commit late. */
const OVERLAP_SECONDS = 2;
/** Time that one search covers; after a longer one, the check of all users finds the rest. */
const MAX_SECONDS = 30;
const USERS_PER_CHECK = 1000;
/** Time that the check of all users may take before deliveries get their turn. */
const CHECK_MS = 200;
const CHECK_INTERVAL_MS = 300_000;

export function createWebhookSearch({ database: { sql }, jobTtlSeconds }: WebhookSearchDeps) {
  let searchedAt = -Infinity;
  let position: string | null = FIRST_ID;
  let checkedAt = -Infinity;
  return {
    /** Searches what has finished since the last search, and checks a part of all users. */
    async run(signal: AbortSignal): Promise<void> {
      const startedAt = performance.now();
      const seconds = Math.min(MAX_SECONDS, (startedAt - searchedAt) / 1000 + OVERLAP_SECONDS);
      await available(() => searchEnds(sql, { jobTtlSeconds, seconds }));
      searchedAt = startedAt;
      if (position === null && performance.now() - checkedAt > CHECK_INTERVAL_MS)
        position = FIRST_ID;
      while (position !== null && !signal.aborted) {
        const after: string = position;
        position = await available(() => checkUsers(sql, after));
        if (position === null) checkedAt = performance.now();
        if (performance.now() - startedAt > CHECK_MS) break;
      }
    },

    /**
     * Begins, or takes over from another process. Records the first start with a receiver; only
     * later events are delivered. The next search covers more, and checks all users.
     */
    async begin(): Promise<void> {
      await available(
        () => sql`
          insert into webhook_receivers (id, started_at) values (1, clock_timestamp())
          on conflict (id) do nothing`,
      );
      searchedAt = -Infinity;
      position = FIRST_ID;
    },
  };
}

/**
 * Marks the owners of what has finished in the last seconds, if their log goes on above their
 * position. A row expires a fixed time after its end, so the index on that time is in the order of
 * the ends. A row that expires with others has no time yet, and is in an index of its end. A row
 * with another lifetime, or of a transaction that took long, is left to the check.
 */
async function searchEnds(
  sql: Sql,
  { jobTtlSeconds, seconds }: { jobTtlSeconds: number; seconds: number },
): Promise<void> {
  await sql`
    with f as materialized (
      select user_id, max(finished_at) as at from (
        select user_id, finished_at from queued_jobs
        where expires_at > clock_timestamp() + ${jobTtlSeconds - seconds} * interval '1 second'
          and expires_at <= clock_timestamp() + ${jobTtlSeconds + 1} * interval '1 second'
        union all select user_id, finished_at from queued_jobs
        where finished_at > clock_timestamp() - ${seconds} * interval '1 second'
          and expires_at is null) ends
      group by user_id),
    u as (
      update webhook_positions p set due_at = clock_timestamp(), waiting_since = f.at
      from f join user_streams s on s.user_id = f.user_id
      where p.user_id = any(array(select user_id from f)) and p.user_id = f.user_id
        and p.due_at is null and s.last_seq > p.seq)
    ${insertPositions(sql, sql`f`, sql`x.at`)}`;
}

/** Marks users whose newest number is above their position; returns the last user of the page. */
async function checkUsers(sql: Sql, after: string): Promise<string | null> {
  const [page] = await sql<{ count: number; last: string | null }[]>`
    with s as materialized (
      select user_id, last_seq from user_streams where user_id > ${after}
      order by user_id limit ${USERS_PER_CHECK}),
    u as (
      update webhook_positions p set due_at = clock_timestamp(), waiting_since = clock_timestamp()
      from s where p.user_id = any(array(select user_id from s)) and p.user_id = s.user_id
        and p.due_at is null and s.last_seq > p.seq),
    n as (${insertPositions(sql, sql`s`, sql`clock_timestamp()`)})
    select count(*)::int as count, (array_agg(user_id::text order by user_id desc))[1] as last
    from s`;
  return page?.count === USERS_PER_CHECK ? page.last : null;
}

/**
 * Creates the missing positions of the users in `list`, at the last event before the first start
 * with a receiver. `since` is the time of what waits.
 */
function insertPositions(sql: Sql, list: Fragment, since: Fragment): Fragment {
  return sql`
    insert into webhook_positions (user_id, seq, due_at, waiting_since)
    select x.user_id,
      coalesce((select seq from queued_job_events e where e.user_id = x.user_id
        and e.at < r.started_at order by seq desc limit 1), c.floor_seq),
      clock_timestamp(), ${since}
    from ${list} x join user_streams c on c.user_id = x.user_id cross join webhook_receivers r
    where not exists (select from webhook_positions p where p.user_id = x.user_id)
      and (select at from queued_job_events e where e.user_id = x.user_id order by seq desc
        limit 1) >= r.started_at
    on conflict (user_id) do nothing`;
}
