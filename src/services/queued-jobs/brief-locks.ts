import type { Fragment, Sql } from "postgres";

/** Maximum wait for a lock of a statement that writes rows of several users. */
const LOCK_TIMEOUT_MS = 250;

/**
 * A condition that always holds, for what a statement reads before it takes its first lock: it then
 * waits only briefly for one. Set so, the limit ends with the statement and costs no round trip.
 */
export function briefLocks(sql: Sql): Fragment {
  return sql`(select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)) is not null`;
}
