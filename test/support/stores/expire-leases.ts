import type { Sql } from "postgres";

/** Expires all leases and duties, which otherwise takes half a minute. */
export async function expireLeases(sql: Sql): Promise<void> {
  await sql`update queued_jobs set lease_until = now(), started_at = now() - interval '1 minute'
    where status = 'STARTED'`;
  await sql`update worker_leases set valid_until = now()`;
  await sql`update duties set held_until = now()`;
}
