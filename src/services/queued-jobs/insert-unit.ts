import type { Sql } from "postgres";
import { ALREADY_THERE, OVER_QUOTA } from "../../db/refusals.js";
import type { Instant } from "../../queued-job.js";
import { queuedJobJson } from "./statements.js";
import type { Step } from "./statements.js";

/** One submission, checked and with its id: nothing about it can be wrong any more but the quota, the key and a photo that goes. */
export interface NewQueuedJob {
  id: string;
  jobName: string;
  parameters: Record<string, unknown>;
  photoIds: string[];
  priority: number;
  runAt: Instant | null;
  idempotencyKey: string | null;
  fingerprint: string | null;
  fresh: boolean;
  createdAt: Instant;
}

/**
 * Rows, photos, counter and QUEUED events of one user's submissions in one statement: all of them or none. Fails with
 * SQLSTATE OVER_QUOTA, or ALREADY_THERE when a key was taken meanwhile; the caller reads that row with a second
 * statement, since this one's snapshot is older than the winner's commit.
 */
export async function insertUnit(sql: Sql, unit: { userId: string; requestId: string; maxPending: number; items: NewQueuedJob[] }): Promise<Step[]> {
  const { userId, requestId, maxPending, items } = unit;
  const count = items.length;
  const links = items.flatMap((item) => item.photoIds.map((photoId, position) => ({ id: item.id, position, photoId })));
  return sql<Step[]>`
    with i as (
      select * from unnest(
        ${items.map((item) => item.id)}::uuid[], ${items.map((item) => item.jobName)}::text[], ${items.map((item) => JSON.stringify(item.parameters))}::text[],
        ${items.map((item) => item.photoIds.length)}::int[], ${items.map((item) => item.priority)}::int[], ${items.map((item) => item.runAt)}::text[],
        ${items.map((item) => item.idempotencyKey)}::text[], ${items.map((item) => item.fingerprint)}::text[], ${items.map((item) => String(item.fresh))}::text[], ${items.map((item) => item.createdAt)}::text[]
      ) as i(id, job_name, parameters, photo_count, priority, run_at, key, fingerprint, fresh, created_at)),
    t as (
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority, run_at, due_at, idempotency_key, fingerprint, fresh, request_id, created_at, updated_at)
      select id, ${userId}, job_name, 'PENDING', parameters::jsonb, photo_count, priority, run_at::timestamptz, greatest(run_at::timestamptz, now()), key, fingerprint, fresh::boolean, ${requestId}, created_at::timestamptz, now()
      from i order by key, id
      on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
      returning *),
    s as (
      update user_streams u set last_seq = u.last_seq + ${count}, pending = u.pending + ${count}
      where u.user_id = ${userId} and u.pending + ${count} <= ${maxPending} and (select count(*) from t) = ${count}
      returning u.last_seq - ${count} as base, u.pending),
    p as (
      insert into queued_job_photos (queued_job_id, position, photo_id)
      select t.id, l.position, l.photo_id
      from unnest(${links.map((link) => link.id)}::uuid[], ${links.map((link) => link.position)}::int[], ${links.map((link) => link.photoId)}::uuid[]) as l(id, position, photo_id) join t on t.id = l.id),
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot)
      select t.user_id, s.base + row_number() over (order by t.id), t.id, 'QUEUED', now(), ${queuedJobJson(sql, sql`'[]'::jsonb`)} from t, s
      returning seq, at, snapshot)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.snapshot as "queuedJob", 1 as run, 0 as failures, 0 as stalls, ${requestId} as "requestId", s.pending,
      case when (select count(*) from t) <> ${count} then refuse(${ALREADY_THERE}) when e.seq is null then refuse(${OVER_QUOTA}) end as refused
    from (values (1)) v left join s on true left join e on true
    order by e.seq`;
}
