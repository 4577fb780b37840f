import type { Sql } from "postgres";

/**
 * Adds a hundred photos, and a hundred finished QueuedJobs that each use all of them. A list of
 * these QueuedJobs has ten thousand photos. With `archives`, adds as many archives of 500 photos.
 */
export async function addManyPhotos(sql: Sql, userId: string, archives = 0): Promise<void> {
  await sql`
    insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
      storage_key, preview_key, created_at)
    select gen_random_uuid(), ${userId}, 'a.jpg', 'image/jpeg', 1, 1, 1, i::text, 'photos/' || i,
      'previews/' || i, now() from generate_series(1, 100) i`;
  await sql`
    insert into queued_jobs (id, user_id, job_name, status, parameters, result, photo_count,
      priority, request_id, progress, due_at, created_at, updated_at, started_at, finished_at,
      expires_at)
    select gen_random_uuid(), ${userId}, 'contact-sheet', 'SUCCESS', '{}', '{}', 100, 0, 'request',
      1, now(), now(), now(), now(), now(), now() + interval '1 day' from generate_series(1, 100)`;
  await sql`
    insert into queued_job_photos (queued_job_id, position, photo_id)
    select q.id, row_number() over (partition by q.id order by p.id), p.id from queued_jobs q
      join photos p using (user_id) where q.user_id = ${userId} and q.job_name = 'contact-sheet'`;
  await sql`
    insert into queued_jobs (id, user_id, job_name, status, parameters, result, photo_count,
      priority, request_id, progress, due_at, created_at, updated_at, started_at, finished_at,
      expires_at)
    select gen_random_uuid(), ${userId}, 'archive', 'SUCCESS', '{}', '{}', 500, 0, 'request',
      1, now(), now(), now(), now(), now(), now() + interval '1 day'
      from generate_series(1, ${archives})`;
  await sql`
    insert into queued_job_photos (queued_job_id, position, photo_id)
    select q.id, row_number() over (partition by q.id order by p.id), p.id from queued_jobs q
      join photos p using (user_id) cross join generate_series(1, 5)
      where q.user_id = ${userId} and q.job_name = 'archive'`;
}
