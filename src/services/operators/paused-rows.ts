import type { Fragment, Sql } from "postgres";

/**
 * True for a row of `queued_jobs` whose Job or owner is paused. PostgreSQL reads each list once per
 * statement, and the plan of the statement stays the same.
 */
export function isPaused(sql: Sql): Fragment {
  return sql`(job_name = any(array(select subject from pauses where kind = 'JOB'))
    or user_id::text = any(array(select subject from pauses where kind = 'USER')))`;
}
