// The only INSERT of submissions: one statement for a single submission, one for many units. The
// second one sorts and groups, so a single submission takes 1,240 µs in it instead of 1,010. See
// bench/load/lone-statements.
import type { Fragment, Sql } from "postgres";
import { ALREADY_THERE, OVER_QUOTA, OVER_RECORDED } from "../../db/refusals.js";
import type { Instant } from "../../domain/queued-job.js";
import type { Committer } from "./commit.js";
import { insertGroup, type NewGroup, type NewMember } from "./groups/insert-group.js";
import { createOwnerBatch } from "./owner-batch.js";
import { briefLocks, bytesNeeded, withSnapshots, type Step } from "./statements.js";

/**
 * A checked submission with its id. It can only fail because of a quota, its key, or a deleted
 * photo.
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
  /** Its place in the group of the unit. */
  member?: NewMember;
}

/** Submissions of one user that are accepted together or not at all. */
export interface Unit {
  userId: string;
  requestId: string;
  /** W3C trace context of the request; undefined without tracing. */
  traceparent?: string | undefined;
  /** The group of all items, which is inserted with them. */
  group?: NewGroup;
  items: NewQueuedJob[];
}

/** Limits per user. */
export interface AcceptLimits {
  /** Maximum unfinished QueuedJobs. */
  maxPending: number;
  /** Maximum bytes of parameters, results and events in the database. */
  maxRecordedBytes: number;
}

type Inserted = Pick<Step, "seq" | "at" | "type" | "pending" | "queuedJob">;

/**
 * Users of different lanes are written in parallel. Submissions of one user are written in
 * sequence, since they share a counter.
 */
const LANES = 4;
const MAX_UNITS = 100;
/** Time that a submission waits for the locked counter of its user. */
const LOCK_TIMEOUT_MS = 4000;

export interface InserterDeps {
  sql: Sql;
  limits: AcceptLimits;
  commit: Committer["commit"];
}

/**
 * Returns a function that inserts a unit together with waiting units of other requests. The result
 * is null when the user has no room or was deleted. It rejects as `insertUnits` does.
 */
export function createInserter({
  sql,
  limits,
  commit,
}: InserterDeps): (unit: Unit) => Promise<Step[] | null> {
  const send = (units: readonly Unit[]) =>
    commit({
      step: "enqueue",
      write: () => insert(sql, units, limits),
      eventsOf: (inserted) => inserted.flatMap((steps) => steps ?? []),
    });
  const sendOne = async (unit: Unit) => (await send([unit]))[0] ?? null;

  const userOf = ({ userId }: Unit) => userId;
  const shared = {
    lanes: LANES,
    timeoutMs: LOCK_TIMEOUT_MS,
    laneOf: userOf,
    ownerOf: userOf,
    keyOf: keysOf,
    sendOne,
    sendMany: send,
  };
  const together = createOwnerBatch<Unit, Step[] | null>({ ...shared, maxItems: MAX_UNITS });
  // A group is as large as a batch.
  const alone = createOwnerBatch<Unit, Step[] | null>({ ...shared, maxItems: 1, maxWaiting: 100 });

  // Tried once more, since an earlier unit of the same batch may have used up the room and then
  // failed.
  return async (unit) =>
    unit.group ? alone(unit) : ((await together(unit)) ?? (await sendOne(unit)));
}

/** Makes a second submission with the same key wait for the first. */
function keysOf({ userId, items }: Unit): string[] {
  return items.flatMap(({ idempotencyKey: key }) => (key === null ? [] : `${userId} ${key}`));
}

/** Both statements leave the same rows, counters and events. */
async function insert(
  sql: Sql,
  units: readonly Unit[],
  limits: AcceptLimits,
): Promise<(Step[] | null)[]> {
  const [unit, ...others] = units;
  const [item, ...beside] = unit?.items ?? [];
  if (!unit || !item || unit.group || others.length > 0 || beside.length > 0)
    return insertUnits(sql, units, limits);
  const step = await insertOne(sql, unit, item, limits);
  return [step && [step]];
}

/** Inserts the rows that `rows` selects, except those whose key is taken. */
function insertRows(sql: Sql, rows: Fragment, moreColumns = sql``): Fragment {
  return sql`
    insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority,
      run_at, due_at, idempotency_key, fingerprint, fresh, request_id, created_at, updated_at
      ${moreColumns})
    ${rows}
    on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
    returning *`;
}

/**
 * Does the work of `insertUnits` for a unit of one submission, the usual case under light load. It
 * returns null and fails in the same cases, and has the same lock order.
 */
export async function insertOne(
  sql: Sql,
  unit: Omit<Unit, "items">,
  item: NewQueuedJob,
  { maxPending, maxRecordedBytes }: AcceptLimits,
): Promise<Step | null> {
  const { id, photoIds } = item;
  const parameters = sql`${JSON.stringify(item.parameters)}::jsonb`;
  const [row] = await sql<Inserted[]>`
    with a as materialized (
      select user_id from user_streams where user_id = ${unit.userId} and pending < ${maxPending}
        and recorded_bytes + ${bytesNeeded(sql, parameters)} <= ${maxRecordedBytes}
          and ${briefLocks(sql)}),
    t as (${insertRows(
      sql,
      sql`select ${id}::uuid, user_id, ${item.jobName}, 'PENDING', ${parameters},
        ${photoIds.length}::int, ${item.priority}::int,
        ${item.runAt}::timestamptz, greatest(${item.runAt}::timestamptz, now()),
        ${item.idempotencyKey}, ${item.fingerprint}, ${item.fresh}::boolean, ${unit.requestId},
        ${item.createdAt}::timestamptz, now()
      from a`,
    )}),
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
      returning seq, at, type, snapshot)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.type, e.snapshot as "queuedJob", s.pending,
      case when t.id is null then refuse(${ALREADY_THERE})
        when e.seq is null or s.pending > ${maxPending} then refuse(${OVER_QUOTA})
        when s.recorded_bytes > ${maxRecordedBytes} then refuse(${OVER_RECORDED}) end as refused
    from a left join t on true left join s on true left join e on true`;
  return row ? toStep(row, unit) : null;
}

/**
 * Inserts rows, photos, counters and QUEUED events of many units in one statement. Returns the
 * steps of each unit in the order of its items. A unit is null when its user was deleted or has no
 * room for it after the earlier units. With several units, a taken key also makes a unit null.
 * The statement fails with SQLSTATE OVER_QUOTA or OVER_RECORDED when the room went in the meantime.
 * It fails with ALREADY_THERE when a key was taken. The caller then reads that row with a second
 * statement, because the snapshot of this one is too old to contain it.
 */
export async function insertUnits(
  sql: Sql,
  units: readonly Unit[],
  limits: AcceptLimits,
): Promise<(Step[] | null)[]> {
  const rows = await insertItems(sql, units, limits);
  const byId = new Map(rows.flatMap((row) => (row.queuedJob ? [[row.queuedJob.id, row]] : [])));
  return units.map((unit) => {
    const inserted = unit.items.flatMap(({ id }) => byId.get(id) ?? []);
    return inserted.length === unit.items.length ? inserted.map((row) => toStep(row, unit)) : null;
  });
}

function toStep(inserted: Inserted, { requestId, traceparent }: Omit<Unit, "items">): Step {
  const { seq, at, type, pending, queuedJob } = inserted;
  const isNew = { run: 1, failures: 0, stalls: 0 };
  return { seq, at, type, pending, queuedJob, ...isNew, requestId, traceparent };
}

// Lock order: rows by user and key, counters by user, photos. A statement sees the tables as they
// were before it, so it joins the returned rows of its parts.
function insertItems(sql: Sql, units: readonly Unit[], limits: AcceptLimits): Promise<Inserted[]> {
  const rows = units.flatMap(({ userId, requestId, items }, unit) =>
    items.map(({ member, ...item }) => ({ ...item, ...member, userId, requestId, unit })),
  );
  const group = units[0]?.group ? insertGroup(sql, units[0].userId, units[0].group) : null;
  const none = sql``;
  return sql<Inserted[]>`
    with i as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as i(
        unit int, id uuid, "userId" uuid, "requestId" text, "jobName" text, parameters jsonb,
        "photoIds" uuid[], priority int, "runAt" timestamptz,
        "idempotencyKey" text, fingerprint text, fresh boolean, "createdAt" timestamptz
        ${group?.given ?? none})),
    a as materialized (${acceptable(sql, units.length, limits)}),
    ${group?.row ?? none}
    t as (${insertRows(
      sql,
      sql`select id, "userId", "jobName", 'PENDING', parameters, cardinality("photoIds"), priority,
        "runAt", ${group?.dueAt ?? sql`greatest("runAt", now())`}, "idempotencyKey", fingerprint,
        fresh, "requestId", "createdAt", now() ${group?.values ?? none}
      from i ${group?.join ?? none} where unit in (select unit from a) order by "userId",
        "idempotencyKey", id`,
      group?.columns,
    )}),
    ${group?.edges ?? none}
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`, { member: group?.member })}),
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
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes
        ${group ? sql`, group_id` : none})
      select j.user_id, s.base + row_number() over (partition by j.user_id
        order by j.id), j.id, 'QUEUED', now(),
        j.snapshot, j.event_bytes ${group ? sql`, j.group_id` : none}
      from j join s using (user_id)
      returning user_id, seq, at, type, snapshot)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.type, e.snapshot as "queuedJob",
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
 * Selects the units of `i` that can be accepted, by a plain read. A user at a limit, or with a
 * taken key, then does not fail the other units. For a single unit, the insert itself checks the
 * key.
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
