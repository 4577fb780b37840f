import type { Sql } from "postgres";
import { ALREADY_THERE, OVER_QUOTA } from "../../db/refusals.js";
import { briefLocks } from "./brief-locks.js";
import type { NewQueuedJob, Unit } from "./insert-units.js";
import { queuedJobJson } from "./statements.js";
import type { Step } from "./statements.js";

/** `insertUnits` of a unit that has one submission and goes alone, as most do on a calm day: a third cheaper. Null, and fails, where that does; the lock order is the same. */
export async function insertOne(sql: Sql, unit: Omit<Unit, "items">, item: NewQueuedJob, maxPending: number): Promise<Step | null> {
  const { id, photoIds } = item;
  const [row] = await sql<Pick<Step, "seq" | "at" | "pending" | "queuedJob">[]>`
    with a as materialized (
      select user_id from user_streams
      where user_id = ${unit.userId} and pending < ${maxPending} and ${briefLocks(sql)}),
    t as (
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority, run_at, due_at, idempotency_key, fingerprint, fresh, request_id, created_at, updated_at)
      select ${id}::uuid, user_id, ${item.jobName}, 'PENDING', ${JSON.stringify(item.parameters)}::jsonb, ${photoIds.length}::int, ${item.priority}::int,
        ${item.runAt}::timestamptz, greatest(${item.runAt}::timestamptz, now()), ${item.idempotencyKey}, ${item.fingerprint}, ${item.fresh}::boolean, ${unit.requestId}, ${item.createdAt}::timestamptz, now()
      from a on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
      returning *),
    s as (
      update user_streams u set last_seq = u.last_seq + 1, pending = u.pending + 1 from t
      where u.user_id = t.user_id and u.pending < ${maxPending} returning u.last_seq, u.pending),
    ${photoIds.length > 0 ? sql`p as (
      insert into queued_job_photos (queued_job_id, position, photo_id)
      select t.id, l.position - 1, l.photo_id from t cross join unnest(${photoIds}::uuid[]) with ordinality as l(photo_id, position)),` : sql``}
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot)
      select t.user_id, s.last_seq, t.id, 'QUEUED', now(), ${queuedJobJson(sql, sql`'[]'::jsonb`)} from t, s
      returning seq, at, snapshot)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.snapshot as "queuedJob", s.pending,
      case when t.id is null then refuse(${ALREADY_THERE}) when e.seq is null then refuse(${OVER_QUOTA}) end as refused
    from a left join t on true left join s on true left join e on true`;
  return row ? { ...row, run: 1, failures: 0, stalls: 0, requestId: unit.requestId, traceparent: unit.traceparent } : null;
}
