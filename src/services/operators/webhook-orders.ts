// The state of webhooks for operators, and their orders: pause, resume, redeliver.
import type { Fragment, Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import { decodeStreamCursor } from "../../domain/cursors.js";
import { InvalidInputError, NotFoundError } from "../../domain/errors.js";
import type { Instant } from "../../domain/queued-job.js";
import { changeAndRecord, type Operator } from "./operator-actions.js";
import { findUser } from "./pauses.js";

/** Counts over all users. */
export interface WebhookCounts {
  /** Users with undelivered events. */
  waiting: number;
  failing: number;
  paused: number;
  /** True if all deliveries are paused. */
  isPaused: boolean;
  /** Age of the oldest undelivered event. */
  lagSeconds: number;
  /** Numbers of events that expired before their delivery. */
  missed: number;
}

/** The state of the one receiver. */
export interface ReceiverState {
  startedAt: Instant;
  pausedAt: Instant | null;
  pausedBy: string | null;
  /** Time until which the receiver wants no requests. */
  holdUntil: Instant | null;
  lastSuccessAt: Instant | null;
}

/** A user whose webhooks fail, are paused, or have a gap. */
export interface TroubledUser {
  id: string;
  email: string;
  attempts: number;
  failingSince: Instant | null;
  dueAt: Instant | null;
  waitingSince: Instant | null;
  pausedAt: Instant | null;
  pausedBy: string | null;
  lastAt: Instant | null;
  lastStatus: number | null;
  lastReason: string | null;
  lastBody: string | null;
  missed: number;
}

export interface WebhookState {
  counts: WebhookCounts;
  /** Null until a worker has started with a receiver. */
  receiver: ReceiverState | null;
  users: TroubledUser[];
  /** Users who fail, by the reason of their last attempt. */
  reasons: { reason: string; users: number }[];
}

/** A user by e-mail address or id; empty for all users. */
export interface WebhookOrder {
  user: string;
}

export type WebhookOrders = ReturnType<typeof createWebhookOrders>;

const LISTED_USERS = 100;

export function createWebhookOrders({ sql }: Pick<Database, "sql">) {
  const findAny = async ({ user }: WebhookOrder) =>
    user === "" ? null : available(() => findUser(sql, user));

  /** Records the order for a user or for all; returns false if there is nothing to change. */
  const order = (
    verb: string,
    { userId, by, more = {} }: { userId: string | null; by: Operator; more?: object },
    change: (tx: Sql) => Promise<number>,
  ): Promise<boolean> => {
    const target = userId === null ? { all: true } : { userId, ...more };
    const action = { ...by, action: `${verb} webhooks`, target, count: null };
    return changeAndRecord(sql, action, async (tx) => {
      const count = await change(tx);
      if (count === 0 && userId !== null) await requirePosition(tx, userId);
      return count > 0;
    });
  };

  return {
    readCounts: (): Promise<WebhookCounts> => available(() => readCounts(sql)),
    read: (): Promise<WebhookState> => readState(sql),

    /** Pauses the deliveries of a user or of all. An attempt under way ends. */
    async pause(request: WebhookOrder, by: Operator): Promise<boolean> {
      const userId = await findAny(request);
      return order("pause", { userId, by }, (tx) => pause(tx, userId, by));
    },

    /** Ends a pause; what waits is due at once. */
    async resume(request: WebhookOrder, by: Operator): Promise<boolean> {
      const userId = await findAny(request);
      return order("resume", { userId, by }, (tx) => resume(tx, userId));
    },

    /**
     * Makes a user's deliveries due at once, from a cursor if one is given; for all users, those
     * that fail or are paused after failing. Ends the pause of these users.
     */
    async redeliver(
      { user, cursor, epoch }: WebhookOrder & { cursor: string; epoch: string },
      by: Operator,
    ): Promise<boolean> {
      const userId = await findAny({ user });
      const from = cursor === "" ? null : positionOf(cursor, userId, epoch);
      const more = cursor === "" ? {} : { cursor };
      return order("redeliver", { userId, by, more }, async (tx) => {
        if (userId === null) return retryTroubled(tx);
        return from === null ? retryUser(tx, userId) : rewind(tx, userId, from);
      });
    },
  };
}

async function readState(sql: Sql): Promise<WebhookState> {
  const [counts, receiver, users, reasons] = await Promise.all([
    available(() => readCounts(sql)),
    available(() => readReceiver(sql)),
    available(() => readTroubled(sql)),
    available(() => readReasons(sql)),
  ]);
  return { counts, receiver, users, reasons };
}

async function pause(tx: Sql, userId: string | null, { actor }: Operator): Promise<number> {
  const paused = tx`set paused_at = clock_timestamp(), paused_by = ${actor}`;
  const rows =
    userId === null
      ? await tx`update webhook_receivers ${paused} where paused_at is null`
      : await tx`
          update webhook_positions ${paused}, due_at = coalesce(due_at, clock_timestamp()),
            holder = null, leased_until = null
          where user_id = ${userId} and paused_at is null`;
  return rows.count;
}

async function resume(tx: Sql, userId: string | null): Promise<number> {
  const rows =
    userId === null
      ? await tx`
          update webhook_receivers set paused_at = null, paused_by = null, hold_until = null
          where paused_at is not null or hold_until is not null`
      : await tx`
          update webhook_positions set paused_at = null, paused_by = null, attempts = 0,
            failing_since = null, due_at = clock_timestamp()
          where user_id = ${userId} and paused_at is not null`;
  return rows.count;
}

/** The number before the first event to deliver again. */
function positionOf(cursor: string, userId: string | null, epoch: string): number {
  if (userId === null) throw InvalidInputError.at(["user"], "name the user whose cursor this is");
  const position = decodeStreamCursor(cursor, userId);
  if (position.epoch === epoch) return position.seq;
  throw InvalidInputError.at(["cursor"], "belongs to another history of the database");
}

/** The lag leaves out paused users, who are counted apart. */
async function readCounts(sql: Sql): Promise<WebhookCounts> {
  const [counts] = await sql<WebhookCounts[]>`
    select w.count + t.paused as waiting, t.failing, t.paused, t.missed,
      exists (select from webhook_receivers where paused_at is not null) as "isPaused",
      coalesce(greatest(0, extract(epoch from clock_timestamp() - w.since)),
        0)::float8 as "lagSeconds"
    from (
      select count(*)::int as count, min(waiting_since) as since from webhook_positions
      where due_at is not null and paused_at is null) w
    cross join (
      select (count(*) filter (where attempts > 0))::int as failing,
        (count(*) filter (where paused_at is not null))::int as paused,
        coalesce(sum(missed), 0)::float8 as missed
      from webhook_positions where ${isTroubled(sql)}) t`;
  if (!counts) throw new Error("An aggregate returned no row");
  return counts;
}

/** The condition of the index on the users whom operators should see. */
function isTroubled(sql: Sql): Fragment {
  return sql`(attempts > 0 or paused_at is not null or missed > 0)`;
}

async function readReceiver(sql: Sql): Promise<ReceiverState | null> {
  const [receiver] = await sql<ReceiverState[]>`
    select rfc3339(started_at) as "startedAt", rfc3339(paused_at) as "pausedAt",
      paused_by as "pausedBy", rfc3339(last_success_at) as "lastSuccessAt",
      case when hold_until > clock_timestamp() then rfc3339(hold_until) end as "holdUntil"
    from webhook_receivers`;
  return receiver ?? null;
}

async function readTroubled(sql: Sql): Promise<TroubledUser[]> {
  return [
    ...(await sql<TroubledUser[]>`
      select u.id, u.email, p.attempts, rfc3339(p.failing_since) as "failingSince",
        rfc3339(p.due_at) as "dueAt", rfc3339(p.waiting_since) as "waitingSince",
        rfc3339(p.paused_at) as "pausedAt", p.paused_by as "pausedBy",
        rfc3339(p.last_at) as "lastAt", p.last_status as "lastStatus",
        p.last_reason as "lastReason", p.last_body as "lastBody", p.missed::float8 as missed
      from webhook_positions p join users u on u.id = p.user_id
      where ${isTroubled(sql)}
      order by p.paused_at is null, p.waiting_since, p.user_id limit ${LISTED_USERS}`),
  ];
}

async function readReasons(sql: Sql): Promise<WebhookState["reasons"]> {
  return [
    ...(await sql<WebhookState["reasons"]>`
      select coalesce(last_reason, 'none') as reason, count(*)::int as users
      from webhook_positions where attempts > 0 and ${isTroubled(sql)}
      group by 1 order by 2 desc, 1`),
  ];
}

async function retryUser(tx: Sql, userId: string): Promise<number> {
  const rows = await tx`
    update webhook_positions set paused_at = null, paused_by = null, attempts = 0,
      failing_since = null, due_at = clock_timestamp()
    where user_id = ${userId}`;
  return rows.count;
}

async function retryTroubled(tx: Sql): Promise<number> {
  const rows = await tx`
    update webhook_positions set paused_at = null, paused_by = null, attempts = 0,
      failing_since = null, due_at = clock_timestamp()
    where attempts > 0 and ${isTroubled(tx)}`;
  return rows.count;
}

/** Refuses an order for a user without a position. */
async function requirePosition(tx: Sql, userId: string): Promise<void> {
  const rows = await tx`select from webhook_positions where user_id = ${userId}`;
  if (rows.count === 0)
    throw new NotFoundError(
      "No webhook of this user has been due yet: give a cursor to deliver earlier events.",
    );
}

/**
 * Moves the position of a user, also of one who has none yet. The lease is taken from its holder,
 * which otherwise would move the position forward again.
 */
async function rewind(tx: Sql, userId: string, seq: number): Promise<number> {
  const rows = await tx`
    insert into webhook_positions (user_id, seq, due_at, waiting_since)
    select user_id, greatest(least(${seq}::bigint, last_seq), floor_seq), clock_timestamp(),
      clock_timestamp()
    from user_streams where user_id = ${userId}
    on conflict (user_id) do update set seq = excluded.seq, due_at = excluded.due_at,
      waiting_since = excluded.waiting_since, paused_at = null, paused_by = null, attempts = 0,
      failing_since = null, holder = null, leased_until = null`;
  return rows.count;
}
