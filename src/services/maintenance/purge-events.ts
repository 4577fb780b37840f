// Removes expired events row by row from the start of each user's log: those that did not go with
// their partition. Two purges may run at once. A batch takes the counters and events that are free,
// and leaves the rest for later.
import type { Fragment, Sql } from "postgres";
import { available, isAway } from "../../db/database.js";
import type { Logger } from "../../runtime/logger.js";
import { FIRST_ID } from "../reads/ids.js";

/** Users whose first event one statement checks. */
const USERS_PER_CHECK = 1000;
/** Maximum users per batch, whose counters stay locked until their events are deleted. */
const USERS_PER_BATCH = 20;
const EVENTS_PER_BATCH = 2000;
/** Batches that skip a user with a locked counter before one batch waits for the lock. */
const MAX_MISSES = 3;

export interface EventPurge {
  /** Yields the number of events removed after each statement; ends when no old event is left. */
  steps(cutOff: string): AsyncGenerator<number>;
  /** Time for which the oldest event of the last walk had been due. */
  readonly lagSeconds: number;
}

interface PurgedUser {
  userId: string;
  purged: number;
  /** True when the batch was full, so that more events may be due. */
  more: boolean;
}

/** Keeps events that no webhook has delivered, for a while and up to a size. */
export interface UndeliveredLimits {
  keptSeconds: number;
  /** Recorded bytes of a user above which they are not kept. */
  maxRecordedBytes: number;
}

interface EventPurgeDeps {
  sql: Sql;
  /** Null without webhooks. */
  undelivered: UndeliveredLimits | null;
  log: Logger;
}

/** Walks over the users, starting where the last walk was interrupted. */
export function createEventPurge({ sql, undelivered, log }: EventPurgeDeps): EventPurge {
  let position = FIRST_ID;
  let lagSeconds = 0;

  async function* steps(cutOff: string): AsyncGenerator<number> {
    const due = new DueUsers();
    lagSeconds = position === FIRST_ID ? 0 : lagSeconds;
    for (let next: string | null = position; next !== null;) {
      const page = await available(() => checkUsers(sql, position, { cutOff, undelivered }));
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

  /** Purges one batch. Users with more events, and users who were skipped, become due again. */
  async function purge(
    userIds: string[],
    { wait, cutOff, due }: { wait: boolean; cutOff: string; due: DueUsers },
  ): Promise<number> {
    try {
      const purged = await available(() => purgeBatch(sql, userIds, { wait, cutOff, undelivered }));
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

/** Users who still have old events after the walk has passed them. */
class DueUsers {
  #queue: string[] = [];
  readonly #misses = new Map<string, number>();

  add(userId: string): void {
    this.#queue.push(userId);
  }

  /** Counts a locked counter; after several, the purge waits for the lock. */
  miss(userId: string): void {
    this.#misses.set(userId, (this.#misses.get(userId) ?? 0) + 1);
    this.add(userId);
  }

  /** Puts a user of a failed batch into a batch of one. */
  addAlone(userId: string): void {
    this.#misses.set(userId, MAX_MISSES);
    this.add(userId);
  }

  /**
   * Returns the next batch. A user whose lock must be waited for is alone in it, so that no other
   * user waits.
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
  /** Users whose first event is too old. */
  due: string[];
  lateSeconds: number;
}

interface CutOff {
  cutOff: string;
  undelivered: UndeliveredLimits | null;
}

/** A column with the number above which events are kept for webhooks; null keeps none. */
function heldSeq(sql: Sql, undelivered: UndeliveredLimits | null): Fragment {
  return undelivered === null
    ? sql``
    : sql`, case when recorded_bytes <= ${undelivered.maxRecordedBytes} then (select seq
        from webhook_positions p where p.user_id = user_streams.user_id) end as held_seq`;
}

/** Excludes events that webhooks still need; begins with `and`, or is empty. */
function isFree(
  sql: Sql,
  undelivered: UndeliveredLimits | null,
  { user, event }: { user: Fragment; event: Fragment },
): Fragment {
  return undelivered === null
    ? sql``
    : sql`and (${user}.held_seq is null or ${event}.seq <= ${user}.held_seq
        or ${event}.at < clock_timestamp() - ${undelivered.keptSeconds} * interval '1 second')`;
}

/** Checks the first event of each of the next users with events. */
async function checkUsers(
  sql: Sql,
  after: string,
  { cutOff, undelivered }: CutOff,
): Promise<UserCheck> {
  const free = isFree(sql, undelivered, { user: sql`s`, event: sql`e` });
  const isDue = sql`e.at < ${cutOff}::timestamptz ${free}`;
  const [page] = await sql<UserCheck[]>`
    select count(*)::int as count, (array_agg(s.user_id::text order by s.user_id desc))[1] as last,
      coalesce(array_agg(s.user_id::text order by s.user_id) filter (where ${isDue}), '{}') as due,
      coalesce(max(extract(epoch from ${cutOff}::timestamptz - e.at)) filter (where ${isDue}),
      0)::float8 as "lateSeconds"
    from (
      select user_id, floor_seq ${heldSeq(sql, undelivered)} from user_streams
      where user_id > ${after} and floor_seq < last_seq order by user_id limit ${USERS_PER_CHECK}) s
    left join lateral (
      select seq, at from queued_job_events where user_id = s.user_id and seq > s.floor_seq
      order by seq limit 1) q on true
    left join lateral (
      select seq, at from photo_events where user_id = s.user_id order by seq limit 1) p on true
    cross join lateral (select least(q.seq, p.seq) as seq, least(q.at, p.at) as at) e`;
  if (!page) throw new Error("An aggregate returned no row");
  return page;
}

/**
 * Deletes the start of several logs and updates their floors and byte counters. It is one
 * statement, so a reader sees all of it or nothing. A user whose counter is locked is missing in
 * the answer. Events that another statement is deleting are skipped. The deleted part ends before
 * them, so none is left below the floor. Beware: the released version raises the floor past events
 * of photos, so these are found without it.
 */
async function purgeBatch(
  sql: Sql,
  userIds: string[],
  { wait, cutOff, undelivered }: CutOff & { wait: boolean },
): Promise<PurgedUser[]> {
  const limit = Math.ceil(EVENTS_PER_BATCH / userIds.length);
  const firstOf = {
    queuedJobs: sql`queued_job_events where user_id = c.user_id and seq > c.floor_seq
      order by seq limit ${limit}`,
    photos: sql`photo_events where user_id = c.user_id order by seq limit ${limit}`,
  };
  return sql<PurgedUser[]>`
    with c as materialized (
      select user_id, floor_seq ${heldSeq(sql, undelivered)} from user_streams
      where user_id = any(${userIds}::uuid[])
      order by user_id for no key update ${wait ? sql`` : sql`skip locked`}),
    f as materialized (
      select c.user_id, e.seq, e.at from c cross join lateral (
        select * from ((select seq, at from ${firstOf.queuedJobs})
          union all (select seq, at from ${firstOf.photos})) merged
        order by seq limit ${limit}) e),
    l as materialized (
      select c.user_id, e.seq, e.part, e.place from c cross join lateral (
        select seq, tableoid as part, ctid as place from ${firstOf.queuedJobs}
        for update skip locked) e),
    p as materialized (
      select c.user_id, e.seq, e.place from c cross join lateral (
        select seq, ctid as place from ${firstOf.photos} for update skip locked) e),
    b as (
      select f.user_id, min(f.seq) as seq from f left join (
        select user_id, seq, place from l union all select user_id, seq, place from p) o
        using (user_id, seq) where o.place is null group by 1),
    u as (
      select f.user_id, max(f.seq) as upto, count(*) as count
      from f join c using (user_id) left join b using (user_id)
      where f.at < ${cutOff}::timestamptz and (b.seq is null or f.seq < b.seq)
        ${isFree(sql, undelivered, { user: sql`c`, event: sql`f` })} group by 1),
    x as materialized (
      select l.part, l.place from l join u using (user_id) where l.seq <= u.upto),
    d as (
      delete from queued_job_events
      where ctid = any(array(select place from x)) and (tableoid, ctid) in (
        select part, place from x) returning user_id, bytes),
    q as (
      delete from photo_events
      where ctid = any(array(select p.place from p join u using (user_id) where p.seq <= u.upto))
        returning user_id, bytes),
    g as (
      select user_id, count(*)::int as purged, sum(bytes) as bytes
      from (select * from d union all select * from q) merged group by 1),
    s as (
      update user_streams t set floor_seq = greatest(t.floor_seq, g.upto),
        recorded_bytes = t.recorded_bytes - g.bytes
      from (select * from g join u using (user_id)) g where t.user_id = g.user_id)
    select c.user_id::text as "userId", coalesce(g.purged, 0) as purged,
      coalesce(u.count = ${limit}, false) as more
    from c left join u using (user_id) left join g using (user_id)`;
}
