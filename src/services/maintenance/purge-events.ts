// Removes logged events whose time is up, from the front of each user's log. Two of these may run
// at once: a batch takes the counters and events that are free and leaves the others for later.
import type { Sql } from "postgres";
import { available, isAway } from "../../db/database.js";
import type { Logger } from "../../runtime/logger.js";
import { FIRST_ID } from "../reads/ids.js";

/** Users whose first event is looked at by one statement. */
const USERS_PER_CHECK = 1000;
/** A batch holds the counters of its users for as long as its events take to delete. */
const USERS_PER_BATCH = 20;
const EVENTS_PER_BATCH = 2000;
/** Batches that leave a user out, since the counter is locked, before it is waited for. */
const MAX_MISSES = 3;

export interface EventPurge {
  /** Yields after each statement how many events it removed; ends when no old event is left. */
  steps(cutOff: string): AsyncGenerator<number>;
  /** How long the oldest event of the last walk had been due. */
  readonly lagSeconds: number;
}

interface PurgedUser {
  userId: string;
  purged: number;
  /** The batch was full, so more may be due. */
  more: boolean;
}

/** Walks over the users from where the last walk was interrupted. */
export function createEventPurge({ sql, log }: { sql: Sql; log: Logger }): EventPurge {
  let position = FIRST_ID;
  let lagSeconds = 0;

  async function* steps(cutOff: string): AsyncGenerator<number> {
    const due = new DueUsers();
    lagSeconds = position === FIRST_ID ? 0 : lagSeconds;
    for (let next: string | null = position; next !== null;) {
      const page = await available(() => checkUsers(sql, position, cutOff));
      lagSeconds = Math.max(lagSeconds, page.lateSeconds);
      yield 0;
      for (let i = 0; i < page.due.length; i += USERS_PER_BATCH) {
        yield purge(page.due.slice(i, i + USERS_PER_BATCH), { wait: false, cutOff, due });
      }
      next = page.count === USERS_PER_CHECK ? page.last : null;
      position = next ?? FIRST_ID;
    }
    for (let batch = due.take(); batch.userIds.length > 0; batch = due.take()) {
      yield purge(batch.userIds, { wait: batch.wait, cutOff, due });
    }
  }

  /** One batch; who has more, or was left out, is put among those that are due still. */
  async function purge(
    userIds: string[],
    { wait, cutOff, due }: { wait: boolean; cutOff: string; due: DueUsers },
  ): Promise<number> {
    try {
      const purged = await available(() => purgeBatch(sql, userIds, { wait, cutOff }));
      for (const { userId, more } of purged) if (more) due.add(userId);
      if (!wait)
        for (const id of userIds) if (!purged.some(({ userId }) => userId === id)) due.miss(id);
      return purged.reduce((sum, user) => sum + user.purged, 0);
    } catch (error) {
      if (isAway(error)) throw error;
      if (wait) log.error({ err: error, userId: userIds[0] }, "events of a user were not purged");
      else for (const id of userIds) due.addAlone(id);
      return 0;
    }
  }

  return {
    steps,
    get lagSeconds() {
      return lagSeconds;
    },
  };
}

/** Users who have old events after the walk has passed them. */
class DueUsers {
  #queue: string[] = [];
  readonly #misses = new Map<string, number>();

  add(userId: string): void {
    this.#queue.push(userId);
  }

  /** Their counter was locked: after several times it is waited for. */
  miss(userId: string): void {
    this.#misses.set(userId, (this.#misses.get(userId) ?? 0) + 1);
    this.add(userId);
  }

  /** A batch failed that they were in. */
  addAlone(userId: string): void {
    this.#misses.set(userId, MAX_MISSES);
    this.add(userId);
  }

  /**
   * The next batch; a user whose counter is waited for is one alone, so that nobody waits behind
   * it.
   */
  take(): { userIds: string[]; wait: boolean } {
    const wait = (this.#misses.get(this.#queue[0] ?? "") ?? 0) >= MAX_MISSES;
    return { userIds: this.#queue.splice(0, wait ? 1 : USERS_PER_BATCH), wait };
  }
}

interface UserCheck {
  count: number;
  /** The last user of the page. */
  last: string | null;
  /** Those whose first event is too old. */
  due: string[];
  lateSeconds: number;
}

/** The next users with events, of each the first event alone. */
async function checkUsers(sql: Sql, after: string, cutOff: string): Promise<UserCheck> {
  const [page] = await sql<UserCheck[]>`
    select count(*)::int as count, (array_agg(s.user_id::text order by s.user_id desc))[1] as last,
      coalesce(array_agg(s.user_id::text order by s.user_id) filter (where e.at <
      ${cutOff}::timestamptz), '{}') as due,
      coalesce(max(greatest(0, extract(epoch from ${cutOff}::timestamptz - e.at))),
      0)::float8 as "lateSeconds"
    from (
      select user_id, floor_seq from user_streams
      where user_id > ${after} and floor_seq < last_seq order by user_id limit ${USERS_PER_CHECK}) s
    left join lateral (
      select at from queued_job_events where user_id = s.user_id and seq > s.floor_seq order by seq
        limit 1) e on true`;
  if (!page) throw new Error("An aggregate gave no row");
  return page;
}

/**
 * Prefixes of the logs, the floors that say so and the bytes that they took, in one statement: a
 * reader sees all or none. A user whose counter is locked is missing in the answer. Events that
 * somebody else is deleting are not waited for: the prefix ends before them, so none is left below
 * the floor.
 */
async function purgeBatch(
  sql: Sql,
  userIds: string[],
  { wait, cutOff }: { wait: boolean; cutOff: string },
): Promise<PurgedUser[]> {
  const limit = Math.ceil(EVENTS_PER_BATCH / userIds.length);
  return sql<PurgedUser[]>`
    with c as materialized (
      select user_id, floor_seq from user_streams where user_id = any(${userIds}::uuid[])
      order by user_id for no key update ${wait ? sql`` : sql`skip locked`}),
    f as materialized (
      select c.user_id, e.seq, e.at from c cross join lateral (
        select seq, at from queued_job_events where user_id = c.user_id and seq > c.floor_seq
          order by seq limit ${limit}) e),
    l as materialized (
      select c.user_id, e.seq, e.place from c cross join lateral (
        select seq, ctid as place from queued_job_events where user_id = c.user_id
          and seq > c.floor_seq
        order by seq limit ${limit} for update skip locked) e),
    b as (select f.user_id, min(f.seq) as seq from f left join l using (user_id, seq)
    where l.seq is null group by 1),
    u as (
      select f.user_id, max(f.seq) as upto, count(*) as count from f left join b using (user_id)
      where f.at < ${cutOff}::timestamptz and (b.seq is null or f.seq < b.seq) group by 1),
    d as (
      delete from queued_job_events
      where ctid = any(array(select l.place from l join u using (user_id) where l.seq <= u.upto))
        returning user_id, bytes),
    g as (select user_id, count(*)::int as purged, sum(bytes) as bytes from d group by 1),
    s as (
      update user_streams t set floor_seq = g.upto, recorded_bytes = t.recorded_bytes - g.bytes
      from (select * from g join u using (user_id)) g where t.user_id = g.user_id)
    select c.user_id::text as "userId", coalesce(g.purged, 0) as purged,
      coalesce(u.count = ${limit}, false) as more
    from c left join u using (user_id) left join g using (user_id)`;
}
