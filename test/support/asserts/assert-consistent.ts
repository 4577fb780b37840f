import assert from "node:assert/strict";
import type { PendingQuery, Row, Sql } from "postgres";
import type { LoggedEventType, QueuedJobStatus } from "../../../src/domain/queued-job-status.js";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import { assertLegalStory } from "./assert-legal-story.js";

/**
 * Asserts the invariants of the tables, for one user or for all. They hold at any moment, also
 * after concurrent changes.
 */
export async function assertConsistent(sql: Sql, userId: string | null = null): Promise<void> {
  const ofUser = userId === null ? sql`true` : sql`user_id = ${userId}`;
  for (const [what, query] of [
    ["the counters equal the counts of rows", findWrongCounters],
    ["the recorded bytes equal the sum over rows", findWrongRecordedBytes],
    ["each event records the length of its snapshot", findWrongEventBytes],
    ["the newest event has the stream's last number", findWrongLastNumbers],
    ["the counts of groups equal the counts of rows", findWrongGroupCounts],
    ["a row waits exactly for its unfinished predecessors", findWrongWaits],
  ] as const)
    assert.deepEqual([...(await query(sql, ofUser))], [], what);
  for (const row of await readStories(sql, ofUser)) assertStory(row);
}

type Condition = PendingQuery<Row[]>;

const findWrongCounters = (sql: Sql, ofUser: Condition) => sql`
    select s.user_id, s.pending, s.stored_bytes, c.pending as counted, c.bytes as counted_bytes
      from user_streams s join lateral (
      select (select count(*)::int from queued_jobs where user_id = s.user_id
        and status in ('PENDING', 'STARTED')) as pending,
        (select coalesce(sum(byte_size), 0)::bigint from photos where user_id = s.user_id)
        + (select coalesce(sum(o.byte_size), 0)::bigint from queued_job_outputs o join queued_jobs q
        on q.id = o.queued_job_id where q.user_id = s.user_id) as bytes) c on true
    where ${ofUser} and (s.pending <> c.pending or s.stored_bytes <> c.bytes)`;

const findWrongRecordedBytes = (sql: Sql, ofUser: Condition) => sql`
    select s.user_id, s.recorded_bytes, r.bytes + e.bytes as counted from user_streams s
    cross join lateral (
      select coalesce(sum(octet_length(parameters::text) + coalesce(octet_length(result::text), 0)),
        0) as bytes
      from queued_jobs where user_id = s.user_id) r
    cross join lateral (select coalesce(sum(bytes), 0) as bytes from (
      select bytes, user_id from queued_job_events
      union all select bytes, user_id from photo_events) both_streams
    where user_id = s.user_id) e
    where ${ofUser} and s.recorded_bytes <> r.bytes + e.bytes`;

const findWrongEventBytes = (sql: Sql, ofUser: Condition) => sql`
    select user_id, seq, bytes from (
      select user_id, seq, bytes, snapshot from queued_job_events
      union all select user_id, seq, bytes, snapshot from photo_events) both_streams
    where ${ofUser} and bytes <> octet_length(snapshot::text)`;

const findWrongLastNumbers = (sql: Sql, ofUser: Condition) => sql`
    select s.user_id, s.last_seq, e.newest from user_streams s left
      join lateral (select greatest(
        (select max(seq) from queued_job_events where user_id = s.user_id),
        (select max(seq) from photo_events where user_id = s.user_id)) as newest) e
      on true
    where ${ofUser} and s.last_seq <> coalesce(e.newest, 0)`;

/** A finished member may be deleted, and still counts. */
const findWrongGroupCounts = (sql: Sql, ofUser: Condition) => sql`
    select g.*, c.* from (select * from job_groups where ${ofUser}) g cross join lateral (
      select count(*) as rows, count(*) filter (where status = 'PENDING') as n_pending,
        count(*) filter (where status = 'STARTED') as n_started,
        count(*) filter (where status = 'SUCCESS') as n_succeeded,
        count(*) filter (where status = 'FAILED') as n_failed,
        count(*) filter (where status = 'CANCELLED') as n_cancelled
      from queued_jobs where group_id = g.id) c
    where g.pending <> n_pending or g.started <> n_started or g.succeeded < n_succeeded
      or g.failed < n_failed or g.cancelled < n_cancelled or rows = g.total
        and (g.succeeded, g.failed, g.cancelled) <> (n_succeeded, n_failed, n_cancelled)
      or (g.pending + g.started = 0) <> (g.expires_at is not null)`;

/** A row that runs anyway may be due while a predecessor is retried. */
const findWrongWaits = (sql: Sql, ofUser: Condition) => sql`
    select q.*, p.unfinished from (
      select id, waiting_for, cancelling, due_at > now() + interval '2 years' as is_never_due
      from queued_jobs where group_id is not null and status = 'PENDING' and ${ofUser}) q
    cross join lateral (select count(*) as unfinished from queued_job_predecessors d
      join queued_jobs r on r.id = d.predecessor_id and r.status in ('PENDING', 'STARTED')
      where d.queued_job_id = q.id) p
    where q.waiting_for > 0 and (q.waiting_for <> p.unfinished or not is_never_due)
      or is_never_due and q.waiting_for = 0 and q.cancelling is null`;

interface Story {
  id: string;
  status: QueuedJobStatus;
  version: number;
  photoCount: number;
  links: number;
  events: { type: LoggedEventType; snapshot: QueuedJob }[];
}

const readStories = (sql: Sql, ofUser: Condition) => sql<Story[]>`
    select q.id, q.status, q.version, q.photo_count as "photoCount", (select count(*)::int
      from queued_job_photos where queued_job_id = q.id) as links,
      (select jsonb_agg(jsonb_build_object('type', e.type, 'snapshot', e.snapshot) order by e.seq)
      from queued_job_events e where e.queued_job_id = q.id) as events
    from queued_jobs q where ${ofUser}`;

function assertStory({ id, status, version, events, photoCount, links }: Story): void {
  assertLegalStory(
    id,
    events.map(({ type, snapshot }) => ({
      type,
      version: snapshot.version,
      status: snapshot.status,
    })),
  );
  assert.deepEqual(
    [events.at(-1)?.snapshot.status, events.at(-1)?.snapshot.version],
    [status, version],
    `${id}: its last event shows the row`,
  );
  if (status === "PENDING" || status === "STARTED")
    assert.equal(links, photoCount, `${id}: an unfinished job keeps its photos`);
}
