import type { Sql } from "postgres";
import { ALREADY_THERE, OVER_QUOTA, OVER_RECORDED } from "../../db/refusals.js";
import { briefLocks } from "./brief-locks.js";
import type { AcceptLimits, NewQueuedJob, Unit } from "./insert-units.js";
import { bytesNeeded, withSnapshots, type Step } from "./statements.js";

/**
 * `insertUnits` of a unit that has one submission and goes alone, as most do on a calm day: a third
 * cheaper. Null, and fails, where that does; the lock order is the same.
 */
export async function insertOne(
  sql: Sql,
  unit: Omit<Unit, "items">,
  item: NewQueuedJob,
  { maxPending, maxRecordedBytes }: AcceptLimits,
): Promise<Step | null> {
  const { id, photoIds } = item;
  const parameters = sql`${JSON.stringify(item.parameters)}::jsonb`;
  const [row] = await sql<Pick<Step, "seq" | "at" | "pending" | "queuedJob">[]>`
    with a as materialized (
      select user_id from user_streams where user_id = ${unit.userId} and pending < ${maxPending}
        and recorded_bytes + ${bytesNeeded(sql, parameters)} <= ${maxRecordedBytes}
          and ${briefLocks(sql)}),
    t as (
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority,
        run_at, due_at, idempotency_key, fingerprint, fresh, request_id, created_at, updated_at)
      select ${id}::uuid, user_id, ${item.jobName}, 'PENDING', ${parameters},
        ${photoIds.length}::int, ${item.priority}::int,
        ${item.runAt}::timestamptz, greatest(${item.runAt}::timestamptz, now()),
        ${item.idempotencyKey}, ${item.fingerprint}, ${item.fresh}::boolean, ${unit.requestId},
        ${item.createdAt}::timestamptz, now()
      from a on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
      returning *),
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`)}),
    s as (
      update user_streams u set last_seq = u.last_seq + 1, pending = u.pending + 1,
        recorded_bytes = u.recorded_bytes + j.parameter_bytes + j.event_bytes
      from j where u.user_id = j.user_id returning u.last_seq, u.pending, u.recorded_bytes),
    ${
      photoIds.length > 0
        ? sql`p as (
      insert into queued_job_photos (queued_job_id, position, photo_id)
      select t.id, l.position - 1, l.photo_id from t cross
        join unnest(${photoIds}::uuid[]) with ordinality as l(photo_id, position)),`
        : sql``
    }
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select j.user_id, s.last_seq, j.id, 'QUEUED', now(), j.snapshot, j.event_bytes from j, s
      returning seq, at, snapshot)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.snapshot as "queuedJob", s.pending,
      case when t.id is null then refuse(${ALREADY_THERE})
        when e.seq is null or s.pending > ${maxPending} then refuse(${OVER_QUOTA})
        when s.recorded_bytes > ${maxRecordedBytes} then refuse(${OVER_RECORDED}) end as refused
    from a left join t on true left join s on true left join e on true`;
  return row
    ? {
        ...row,
        run: 1,
        failures: 0,
        stalls: 0,
        requestId: unit.requestId,
        traceparent: unit.traceparent,
      }
    : null;
}
