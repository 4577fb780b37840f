import type { Sql } from "postgres";

export interface LargeAccount {
  /** Number of finished QueuedJobs, each with an output. */
  finished: number;
  pending?: number;
  started?: number;
  /** Number of events per QueuedJob. */
  events: number;
  photos?: number;
}

/**
 * Inserts rows directly, because submitting so many would take hours. Ids ascend, and unfinished
 * QueuedJobs have the newest ones.
 */
export async function fillAccount(
  sql: Sql,
  userId: string,
  { finished, pending = 0, started = 0, events, photos = 0 }: LargeAccount,
): Promise<void> {
  await sql`
    insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
      due_at, created_at, updated_at, status, lease_until, worker, attempts, finished_at,
      expires_at, progress)
    select (right(${userId}::text, 4) || lpad(to_hex(row_number() over ()), 28, '0'))::uuid,
      ${userId}, 'echo', '{}', 0, 0, 'r', now(), now(), now(), s.status, case
      when s.status = 'STARTED' then now() + interval '30 seconds' end, 'w', 1,
      case when s.status = 'SUCCESS' then now() end, case when s.status = 'SUCCESS'
        then now() + interval '1 day' end, case when s.status = 'SUCCESS' then 1 else 0 end
    from (values ('SUCCESS', ${finished}::int), ('PENDING', ${pending}::int), ('STARTED',
      ${started}::int)) s(status, count), generate_series(1, s.count)`;
  await sql`
    insert into queued_job_outputs (queued_job_id, position, name, mime_type, byte_size,
      storage_key)
    select id, 0, 'a', 'text/plain', 1, 'outputs/' || id from queued_jobs where user_id = ${userId}
      and status = 'SUCCESS'`;
  await sql`
    insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot)
    select ${userId}, row_number() over (), id, 'QUEUED', now(), '{}'
      from queued_jobs, generate_series(1, ${events}) where user_id = ${userId}`;
  await sql`
    insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
      storage_key, preview_key, created_at)
    select gen_random_uuid(), ${userId}, 'a', 'image/png', 1, 1, 1, i::text, 'photos/' || i, case
      when i % 2 = 0 then 'previews/' || i end, now() from generate_series(1, ${photos}) i`;
  await sql`
    update user_streams set last_seq = ${(finished + pending + started) * events},
      pending = ${pending + started}, stored_bytes = ${photos + finished}
      where user_id = ${userId}`;
}
