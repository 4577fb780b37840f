import type { Fragment, Sql } from "postgres";
import { ALREADY_THERE, OVER_QUOTA, OVER_RECORDED } from "../../db/refusals.js";
import type { Instant, QueuedJobSnapshot } from "../../domain/queued-job.js";
import { briefLocks } from "./brief-locks.js";
import { bytesNeeded, withSnapshots, type Step } from "./statements.js";

/**
 * One submission, checked and with its id: nothing about it can be wrong any more but the quota,
 * the key and a photo that goes.
 */
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

/** Submissions of one user that are accepted together or not at all. */
export interface Unit {
  userId: string;
  requestId: string;
  /** W3C's, of the request; undefined where nothing is traced. */
  traceparent?: string | undefined;
  items: NewQueuedJob[];
}

/** What one user may have. */
export interface AcceptLimits {
  /** Unfinished QueuedJobs. */
  maxPending: number;
  /** Bytes of parameters, results and events in the database. */
  maxRecordedBytes: number;
}

type Inserted = Pick<Step, "seq" | "at" | "pending"> & { queuedJob: QueuedJobSnapshot };

/**
 * Rows, photos, counters and QUEUED events of many units in one statement. The steps of each, in
 * the order of its items; null of a unit that was left out, since its user had no room for it
 * beside those before it, or is gone, or, beside others, has a key that is taken. Fails as a whole
 * with SQLSTATE OVER_QUOTA or OVER_RECORDED when the room went meanwhile, or ALREADY_THERE when a
 * key was taken; the caller reads that row with a second statement, since this one's snapshot is
 * older than the winner's commit.
 */
export async function insertUnits(
  sql: Sql,
  units: readonly Unit[],
  limits: AcceptLimits,
): Promise<(Step[] | null)[]> {
  const rows = await insert(sql, units, limits);
  const byId = new Map(rows.flatMap((row) => (row.queuedJob ? [[row.queuedJob.id, row]] : [])));
  return units.map(({ requestId, traceparent, items }) => {
    const steps = items
      .flatMap(({ id }) => byId.get(id) ?? [])
      .map((row): Step => ({ ...row, run: 1, failures: 0, stalls: 0, requestId, traceparent }));
    return steps.length === items.length ? steps : null;
  });
}

// Lock order: rows by user and key, counters by user, photos. Inside of a statement tables look as
// before, hence the joins of what it returns on its way.
function insert(sql: Sql, units: readonly Unit[], limits: AcceptLimits): Promise<Inserted[]> {
  const rows = units.flatMap(({ userId, requestId, items }, unit) =>
    items.map((item) => ({ ...item, userId, requestId, unit })),
  );
  return sql<Inserted[]>`
    with i as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as i(
        unit int, id uuid, "userId" uuid, "requestId" text, "jobName" text, parameters jsonb,
        "photoIds" uuid[], priority int, "runAt" timestamptz,
        "idempotencyKey" text, fingerprint text, fresh boolean, "createdAt" timestamptz)),
    a as materialized (${acceptable(sql, units.length, limits)}),
    t as (
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority,
        run_at, due_at, idempotency_key, fingerprint, fresh, request_id, created_at, updated_at)
      select id, "userId", "jobName", 'PENDING', parameters, cardinality("photoIds"), priority,
        "runAt", greatest("runAt", now()), "idempotencyKey", fingerprint, fresh, "requestId",
        "createdAt", now()
      from i where unit in (select unit from a) order by "userId", "idempotencyKey", id
      on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
      returning *),
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`)}),
    n as (select user_id, count(*)::int as n, sum(parameter_bytes + event_bytes) as bytes from j
    group by 1),
    c as materialized (select user_id from user_streams where user_id in (select user_id from n)
    order by user_id for no key update),
    s as (
      update user_streams u set last_seq = u.last_seq + n.n, pending = u.pending + n.n,
        recorded_bytes = u.recorded_bytes + n.bytes
      from n join c using (user_id)
      where u.user_id = n.user_id
      returning u.user_id, u.last_seq - n.n as base, u.pending - n.n as before, u.pending,
        u.recorded_bytes),
    p as (
      insert into queued_job_photos (queued_job_id, position, photo_id)
      select t.id, l.position - 1, l.photo_id from i join t using (id) cross
        join unnest(i."photoIds") with ordinality as l(photo_id, position)),
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select j.user_id, s.base + row_number() over (partition by j.user_id
        order by j.id), j.id, 'QUEUED', now(),
        j.snapshot, j.event_bytes
      from j join s using (user_id)
      returning user_id, seq, at, snapshot)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.snapshot as "queuedJob",
      (s.before + e.seq - s.base)::int as pending,
      case when (select count(*) from t) <> (select count(*) from i where unit in (select unit
        from a)) then refuse(${ALREADY_THERE})
        when (select count(*) from e) <> (select count(*) from t)
          or s.pending > ${limits.maxPending} then refuse(${OVER_QUOTA})
        when s.recorded_bytes > ${limits.maxRecordedBytes} then refuse(${OVER_RECORDED})
          end as refused
    from (values (1)) v left join e on true left join s on s.user_id = e.user_id`;
}

/**
 * The units of `i` that can be accepted, by a plain read: a user at a limit, or with a key that is
 * taken, does not fail the others. A unit that is alone learns of its key from the insert.
 */
function acceptable(
  sql: Sql,
  count: number,
  { maxPending, maxRecordedBytes }: AcceptLimits,
): Fragment {
  const keysAreFree = sql`not exists (
    select from i join queued_jobs q on q.user_id = i."userId"
      and q.idempotency_key = i."idempotencyKey"
    where i.unit = w.unit)`;
  return sql`
    select w.unit from (
      select unit, "userId" as user_id, sum(count(*)) over so_far as upto,
        sum(sum(${bytesNeeded(sql, sql`i.parameters`)})) over so_far as bytes
      from i group by unit, "userId" window so_far as (partition by "userId" order by unit)) w
    join user_streams u using (user_id)
    where u.pending + w.upto <= ${maxPending} and u.recorded_bytes + w.bytes <= ${maxRecordedBytes}
      and ${briefLocks(sql)}
      ${count > 1 ? sql`and ${keysAreFree}` : sql``}`;
}
