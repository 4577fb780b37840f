// The durable positions of deliveries. A holder takes a lease by compare and set, and each of its
// writes is fenced by the lease's unique name. So each user is served by one process at a time.
import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { Instant } from "../../domain/queued-job.js";
import { createMicroBatch } from "../../runtime/micro-batch.js";
import type { WaitingEvent, WebhookUser } from "./webhook-messages.js";
import type { Answer } from "./webhook-requests.js";

/** A user whose deliveries this process holds. */
export interface Held {
  user: WebhookUser;
  /** Unique name of the lease. */
  holder: string;
  seq: number;
  /** Failed attempts of the next event. */
  attempts: number;
  /** The number of the user's newest event; null for a closed account. */
  lastSeq: number | null;
  /** Highest purged number. */
  floorSeq: number | null;
  /** The next events, oldest first. */
  events: WaitingEvent[];
}

/** The result of one delivery, or the end of a page. */
export interface Progress {
  userId: string;
  holder: string;
  seq: number;
  /** Numbers of events that expired before their delivery. */
  missed: number;
  /** Status of the delivery; null when nothing was sent. */
  status: number | null;
  /** The next step: more of this page, another page, or none. */
  next: "event" | "page" | "none";
  /** Time of the next event. */
  waitingSince: Instant | null;
}

export interface Failed extends Pick<Progress, "userId" | "holder"> {
  answer: Answer;
  /** Time until the next attempt. */
  pauseMs: number;
  /** Time of the event that was not delivered. */
  waitingSince: Instant;
}

export type WebhookPositions = ReturnType<typeof createWebhookPositions>;

export const LEASE_SECONDS = 30;
/** Time of failed attempts after which a user's deliveries pause. */
const GIVE_UP_DAYS = 3;
/** Maximum events of a user that are read at once; then other users get their turn. */
const PAGE_EVENTS = 25;
const ENDS = ["SUCCEEDED", "FAILED", "CANCELLED"];

export function createWebhookPositions({ sql }: Pick<Database, "sql">) {
  const send = (items: Progress[]) => available(() => recordProgress(sql, items));
  return {
    /** Takes the leases of at most `limit` users who are due, and reads their next events. */
    async take(holder: string, limit: number): Promise<Held[]> {
      const taken = await available(() => takeDue(sql, holder, limit));
      const pages = await available(() => readPages(sql, taken));
      return taken.map((one) => ({ ...one, events: pages.get(one.user.id) ?? [] }));
    },

    /**
     * Records a position before the next event is sent. Returns false if no further event may be
     * sent: the lease has ended or is lost. Concurrent calls share a statement.
     */
    advance: createMicroBatch<Progress, boolean>({
      lanes: 1,
      maxItems: 100,
      laneOf: () => "",
      keyOf: ({ userId }) => userId,
      sendOne: async (item) => (await send([item]))[0] ?? false,
      sendMany: send,
    }),

    /** Records a failed attempt; returns true when the user's deliveries pause from now on. */
    fail: (failed: Failed): Promise<boolean> => available(() => recordFailure(sql, failed)),

    /** Gives a lease back without an attempt; the user is due again after `pauseMs`. */
    async release({ userId, holder }: Pick<Progress, "userId" | "holder">, pauseMs = 0) {
      await available(
        () => sql`
          update webhook_positions set holder = null, leased_until = null,
            due_at = clock_timestamp() + ${pauseMs} * interval '1 millisecond'
          where user_id = ${userId} and holder = ${holder}`,
      );
    },

    /** Removes the position of a closed account. */
    async remove(userId: string) {
      await available(() => sql`delete from webhook_positions where user_id = ${userId}`);
    },
  };
}

/** Due times put users in a queue: one with many events goes to its end after each page. */
async function takeDue(sql: Sql, holder: string, limit: number): Promise<Omit<Held, "events">[]> {
  return [
    ...(await sql<Omit<Held, "events">[]>`
      with c as (
        update webhook_positions p set holder = ${holder}::text || '/' || p.user_id,
          leased_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
        where p.user_id = any(array(
          select user_id from webhook_positions
          where due_at <= clock_timestamp() and paused_at is null
            and (leased_until is null or leased_until < clock_timestamp())
            and exists (select from webhook_receivers where paused_at is null
              and (hold_until is null or hold_until < clock_timestamp()))
          order by due_at limit ${limit} for update skip locked))
        returning p.*)
      select jsonb_build_object('id', u.id, 'issuer', u.issuer, 'subject', u.subject, 'email',
          u.email) as "user",
        c.holder, c.seq::float8 as seq, c.attempts,
        s.last_seq::float8 as "lastSeq", s.floor_seq::float8 as "floorSeq"
      from c join users u on u.id = c.user_id left join user_streams s on s.user_id = c.user_id`),
  ];
}

interface EventRow extends WaitingEvent {
  userId: string;
}

/**
 * Reads up to the number that was the user's last when the lease was taken, so that a page which is
 * not full ends there.
 */
async function readPages(
  sql: Sql,
  taken: readonly Omit<Held, "events">[],
): Promise<Map<string, WaitingEvent[]>> {
  const pages = new Map<string, WaitingEvent[]>();
  const open = taken.filter(({ seq, lastSeq }) => lastSeq !== null && lastSeq > seq);
  if (open.length === 0) return pages;
  const rows = await sql<EventRow[]>`
    select i.id as "userId", e.seq::float8 as seq, e.type, rfc3339(e.at) as at,
      e.snapshot as "queuedJob",
      case when q.id is not null and not e.snapshot ?& '{parameters,result}' then
        jsonb_build_object('parameters', q.parameters, 'result', q.result) end as row,
      coalesce((select jsonb_object_agg(o.name, o.storage_key) from queued_job_outputs o
        where e.type = 'SUCCEEDED' and o.queued_job_id = e.queued_job_id), '{}') as "storageKeys"
    from unnest(${open.map(({ user }) => user.id)}::uuid[],
      ${open.map(({ seq }) => seq)}::bigint[],
      ${open.map(({ lastSeq }) => lastSeq ?? 0)}::bigint[]) as i(id, seq, last)
    cross join lateral (
      select * from queued_job_events where user_id = i.id and seq > i.seq and seq <= i.last
        and (type = any(${ENDS}) or unreported) order by seq limit ${PAGE_EVENTS}) e
    left join queued_jobs q on q.id = e.queued_job_id
    order by i.id, e.seq`;
  for (const { userId, ...event } of rows) {
    const page = pages.get(userId);
    if (page) page.push(event);
    else pages.set(userId, [event]);
  }
  return pages;
}

/** True if the page may be followed by another one. */
export function isFull({ events }: Held): boolean {
  return events.length === PAGE_EVENTS;
}

/**
 * No index has a column that changes with each delivery, so that the update is cheap. After a pause
 * of all deliveries the lease ends, also in the middle of a page.
 */
async function recordProgress(sql: Sql, items: Progress[]): Promise<boolean[]> {
  const column = <Value>(read: (item: Progress) => Value) => items.map(read);
  const rows = await sql<{ id: string }[]>`
    with r as materialized (
      select exists (select from webhook_receivers where paused_at is not null
        or hold_until > clock_timestamp()) as stopped),
    i as materialized (
      select i.*, case when r.stopped and i.step = 'event' then 'page' else i.step end as next
      from r cross join unnest(
        ${column(({ userId }) => userId)}::uuid[], ${column(({ holder }) => holder)}::text[],
        ${column(({ seq }) => seq)}::bigint[], ${column(({ missed }) => missed)}::bigint[],
        ${column(({ status }) => status)}::smallint[], ${column(({ next }) => next)}::text[],
        ${column(({ waitingSince }) => waitingSince)}::text[])
        as i(user_id, holder, seq, missed, status, step, waiting_since))
    update webhook_positions p set seq = i.seq,
      missed = p.missed + i.missed, attempts = 0, failing_since = null,
      waiting_since = i.waiting_since::timestamptz,
      due_at = case i.next when 'event' then p.due_at when 'page' then clock_timestamp() end,
      holder = case i.next when 'event' then p.holder end,
      leased_until = case i.next when 'event'
        then clock_timestamp() + ${LEASE_SECONDS} * interval '1 second' end,
      last_at = case when i.status is null then p.last_at else clock_timestamp() end,
      last_status = coalesce(i.status, p.last_status),
      last_reason = case when i.status is null then p.last_reason end,
      last_body = case when i.status is null then p.last_body end
    from i where p.user_id = i.user_id and p.holder = i.holder
    returning case when i.next = 'event' then p.user_id end as id`;
  const held = new Set(rows.map(({ id }) => id));
  return items.map(({ userId }) => held.has(userId));
}

async function recordFailure(
  sql: Sql,
  { userId, holder, answer, pauseMs, waitingSince }: Failed,
): Promise<boolean> {
  const isOver = sql`failing_since < clock_timestamp() - ${GIVE_UP_DAYS} * interval '1 day'`;
  const [row] = await sql<{ paused: boolean }[]>`
    update webhook_positions set attempts = attempts + 1,
      failing_since = coalesce(failing_since, clock_timestamp()),
      due_at = clock_timestamp() + ${pauseMs} * interval '1 millisecond',
      waiting_since = ${waitingSince}::timestamptz, holder = null, leased_until = null,
      paused_at = case when ${isOver} then clock_timestamp() end,
      paused_by = case when ${isOver} then ${`failed for ${GIVE_UP_DAYS} days`}::text end,
      last_at = clock_timestamp(), last_status = ${answer.status}::smallint,
      last_reason = ${answer.failure}::text, last_body = ${answer.body}::text
    where user_id = ${userId} and holder = ${holder}
    returning paused_at is not null as paused`;
  return row?.paused ?? false;
}
