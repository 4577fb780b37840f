import type { Sql } from "postgres";
import type { User } from "../../../src/services/users/users.js";

/** All rows of a user and their QueuedJobs, to compare them with a later state. */
export async function readEverythingOf(sql: Sql, { id }: User): Promise<unknown> {
  const tables = await Promise.all([
    sql`select * from queued_jobs where user_id = ${id} order by id`,
    sql`select * from queued_job_events where user_id = ${id} order by seq`,
    sql`select o.* from queued_job_outputs o join queued_jobs q on q.id = o.queued_job_id
      where q.user_id = ${id} order by 1, 2`,
    sql`select * from user_streams where user_id = ${id}`,
  ]);
  const [jobs, events, outputs, counters] = tables.map((rows) => [...rows]);
  return structuredClone({ jobs, events, outputs, counters });
}
