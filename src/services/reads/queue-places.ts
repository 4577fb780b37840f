import type { Sql } from "postgres";
import { LRUCache } from "lru-cache";
import { available, type Database } from "../../db/database.js";
import { withoutDeadline } from "../../runtime/deadline.js";
import { HINT_BLOCK, type Lane, LANES } from "../../queue/hint-queue.js";
import type { StartRate } from "../../queue/start-rate.js";
import type { Instant, QueuedJob } from "../../domain/queued-job.js";
import type { Task } from "../../tasks/define-task.js";
import { isPaused } from "../operators/paused-rows.js";
import type { Paused, Pauses } from "../operators/pauses.js";

/** The expected place of a due QueuedJob in the queue. */
export interface Place {
  /** Approximate number of QueuedJobs that start first; null for a paused one. */
  position: number | null;
  /** Approximate start; null when no task has started lately, and for a paused one. */
  startsAt: Instant | null;
}

/** The columns of a row that determine its place. */
export type Waiter = Pick<
  QueuedJob,
  "id" | "userId" | "jobName" | "priority" | "runAt" | "error" | "updatedAt"
>;

export interface QueuePlaces {
  /** Returns places in the order of the rows; null for a row that is not due or does not wait. */
  find(rows: readonly Waiter[]): Promise<(Place | null)[]>;
}

/** Maximum rows that are read; for an estimate, a longer queue counts as this long. */
const MAX_ROWS = 20_000;
/** Time for which the read backlog, of all users and of single users, is reused. */
const REUSE_MS = 1000;
/** Maximum cached users, whose rows may be 10,000 each, and maximum users per statement. */
const MAX_LINES = 50;
const CONCURRENT_USERS = 10;

interface Waiting {
  userId: string;
  lane: Lane;
  count: number;
}

/** The waiting QueuedJobs of one user in a lane, in the order in which they start. */
interface OwnLine {
  ranks: Map<string, number>;
  priorities: number[];
}

/** The queues of one user at the instant `readAt`. */
interface OwnLines {
  readAt: number;
  lanes: Partial<Record<Lane, OwnLine>>;
}

/** Maps Jobs to lanes. */
interface TaskLanes {
  /** Names of the Jobs in the child lane. */
  inChild: string[];
  of(jobName: string): Lane;
}

/**
 * Follows the order of `hintPriority`: users take turns by blocks, and a user's own QueuedJobs are
 * sorted by priority.
 */
export function createQueuePlaces(deps: {
  database: Database;
  catalogue: ReadonlyMap<string, Task>;
  startRate: Pick<StartRate, "rate">;
  pauses: Pick<Pauses, "known">;
}): QueuePlaces {
  const { sql } = deps.database;
  const lanes = taskLanes(deps.catalogue);
  const readWaiting = createWaitingReads(sql, lanes);
  const readLines = createLineReads(sql, lanes);

  return {
    async find(rows) {
      const [lines, waiting, rates, paused] = await Promise.all([
        readLines([...new Set(rows.map(({ userId }) => userId))]),
        readWaiting(),
        readRates(deps.startRate),
        deps.pauses.known(),
      ]);
      return rows.map((row) => {
        const { userId } = row;
        if (mustWait(row, paused)) return { position: null, startsAt: null };
        const lane = lanes.of(row.jobName);
        const rank = rankOf(row, lane, lines.get(userId));
        return rank === null ? null : toPlace(waiting, rates, { userId, lane, rank });
      });
    },
  };
}

function mustWait({ jobName, userId }: Waiter, { jobs, users }: Paused): boolean {
  return jobs.has(jobName) || users.has(userId);
}

function taskLanes(catalogue: ReadonlyMap<string, Task>): TaskLanes {
  const inChild = [...catalogue.values()]
    .filter((task) => task.runsIn === "child")
    .map((task) => task.name);
  return { inChild, of: (jobName) => laneOf(inChild.includes(jobName)) };
}

function laneOf(isChildLane: boolean): Lane {
  return isChildLane ? "child" : "worker";
}

/** Returns the waiting counts of all users, which are at most one second old. */
function createWaitingReads(sql: Sql, lanes: TaskLanes): () => Promise<Waiting[]> {
  let waiting: Promise<Waiting[]> = Promise.resolve([]);
  let readAt = 0;

  return () => {
    if (Date.now() - readAt > REUSE_MS) {
      readAt = Date.now();
      waiting = withoutDeadline(() => available(() => queryWaiting(sql, lanes)));
    }
    return waiting;
  };
}

async function queryWaiting(sql: Sql, lanes: TaskLanes): Promise<Waiting[]> {
  const rows = await sql<{ userId: string; child: boolean; count: number }[]>`
    select user_id as "userId", job_name = any(${lanes.inChild}) as child, count(*)::int as count
    from (
      select user_id, job_name from queued_jobs where status = 'PENDING'
        and due_at <= clock_timestamp() order by due_at limit ${MAX_ROWS}) waiting
    where not ${isPaused(sql)} group by 1, 2`;
  return rows.map(({ userId, child, count }) => ({ userId, lane: laneOf(child), count }));
}

/** Returns the queues of these users; each user is read at most once a second. */
function createLineReads(
  sql: Sql,
  lanes: TaskLanes,
): (userIds: string[]) => Promise<Map<string, OwnLines | undefined>> {
  const cache = new LRUCache<string, Promise<OwnLines | undefined>>({
    max: MAX_LINES,
    ttl: REUSE_MS,
    ttlAutopurge: true,
  });

  return async (userIds) => {
    const lines = new Map(userIds.map((id) => [id, cache.get(id)]));
    const missing = userIds.filter((id) => !lines.get(id));
    for (let i = 0; i < missing.length; i += CONCURRENT_USERS) {
      const some = missing.slice(i, i + CONCURRENT_USERS);
      const reading = withoutDeadline(() => available(() => queryLines(sql, lanes, some)));
      for (const id of some) {
        const own = reading.then((result) => result.get(id));
        own.catch(() => cache.delete(id));
        lines.set(id, own);
        cache.set(id, own);
      }
    }
    return new Map(
      await Promise.all([...lines].map(async ([id, own]) => [id, await own] as const)),
    );
  };
}

async function queryLines(
  sql: Sql,
  lanes: TaskLanes,
  userIds: string[],
): Promise<Map<string, OwnLines>> {
  const rows = await sql<
    { userId: string; readAt: number; child: boolean | null; ids: string; priorities: string }[]
  >`
    with asked as materialized (select clock_timestamp() as now)
    select u.id as "userId", (extract(epoch from asked.now) * 1000)::float8 as "readAt", w.*
      from asked, unnest(${userIds}::uuid[]) u(id) left join lateral (
      select job_name = any(${lanes.inChild}) as child, string_agg(id::text, ' '
        order by priority desc, due_at, id) as ids, string_agg(priority::text, ' '
          order by priority desc, due_at, id) as priorities
      from queued_jobs where user_id = u.id and status = 'PENDING' and due_at <= asked.now
        and not ${isPaused(sql)} group by 1) w on true`;
  const lines = new Map<string, OwnLines>();
  for (const { userId, readAt, child, ids, priorities } of rows) {
    const own = lines.get(userId) ?? { readAt, lanes: {} };
    if (child !== null)
      own.lanes[laneOf(child)] = {
        ranks: new Map(ids.split(" ").map((id, rank) => [id, rank])),
        priorities: priorities.split(" ").map(Number),
      };
    lines.set(userId, own);
  }
  return lines;
}

/** Ranks a row; one that came after the read goes behind all of the same priority. */
function rankOf(
  { id, priority, runAt, error, updatedAt }: Waiter,
  lane: Lane,
  own: OwnLines | undefined,
): number | null {
  const line = own?.lanes[lane] ?? {
    ranks: new Map<string, number>(),
    priorities: [],
  };
  const rank = line.ranks.get(id);
  if (rank !== undefined) return rank;
  const isNew = own !== undefined && Date.parse(updatedAt) > own.readAt - 1;
  const isDue = error === null && (runAt === null || Date.parse(runAt) <= Date.now());
  if (!isNew || !isDue) return null;
  const behind = line.priorities.findIndex((other) => other < priority);
  return behind === -1 ? line.priorities.length : behind;
}

async function readRates(startRate: Pick<StartRate, "rate">): Promise<Map<Lane, number | null>> {
  return new Map(
    await Promise.all(LANES.map(async (lane) => [lane, await startRate.rate(lane)] as const)),
  );
}

function toPlace(
  waiting: Waiting[],
  rates: ReadonlyMap<Lane, number | null>,
  { userId, lane, rank }: { userId: string; lane: Lane; rank: number },
): Place {
  const before = (Math.floor(rank / HINT_BLOCK) + 1) * HINT_BLOCK;
  const others = waiting.filter((row) => row.lane === lane && row.userId !== userId);
  const position = rank + others.reduce((sum, { count }) => sum + Math.min(count, before), 0);
  const rate = rates.get(lane);
  return {
    position,
    startsAt: rate ? new Date(Date.now() + ((position + 1) / rate) * 1000).toISOString() : null,
  };
}
