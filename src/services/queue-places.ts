import { available } from "../db/database.js";
import type { Database } from "../db/database.js";
import { withoutDeadline } from "../deadline.js";
import { HINT_BLOCK } from "../queue/hint-priority.js";
import { LANES } from "../queue/hint-queue.js";
import type { Lane } from "../queue/hint-queue.js";
import type { StartRate } from "../queue/start-rate.js";
import type { Instant } from "../queued-job.js";
import type { Task } from "../tasks/define-task.js";

/** Where a QueuedJob that is due stands. */
export interface Place {
  /** About how many others are expected to start first. */
  position: number;
  /** About when it starts; null when nothing was started lately. */
  startsAt: Instant | null;
}

export interface QueuePlaces {
  /** In the order of the ids; null for one that does not wait, or is not due yet. */
  find(queuedJobIds: readonly string[]): Promise<(Place | null)[]>;
}

/** Rows that are looked at for a guess; a longer line is as good as this long. */
const MOST = 20_000;
/** How long the crowd is taken as it was. */
const CROWD_MS = 1000;

interface Waiting {
  userId: string;
  lane: Lane;
  count: number;
}

/** The order is that of `hintPriority`: blocks of each owner's side by side, one's own by priority. */
export function createQueuePlaces(deps: { database: Database; catalogue: ReadonlyMap<string, Task>; startRate: Pick<StartRate, "rate"> }): QueuePlaces {
  const { sql } = deps.database;
  const inChild = [...deps.catalogue.values()].filter((task) => task.runsIn === "child").map((task) => task.name);
  const laneOf = (childLane: boolean): Lane => (childLane ? "child" : "worker");
  let crowd: Promise<Waiting[]> = Promise.resolve([]);
  let crowdAt = 0;

  async function readCrowd(): Promise<Waiting[]> {
    const rows = await sql<{ userId: string; child: boolean; count: number }[]>`
      select user_id as "userId", job_name = any(${inChild}) as child, count(*)::int as count from (
        select user_id, job_name from queued_jobs where status = 'PENDING' and due_at <= clock_timestamp() order by due_at limit ${MOST}) waiting
      group by 1, 2`;
    return rows.map(({ userId, child, count }) => ({ userId, lane: laneOf(child), count }));
  }

  function seeCrowd(): Promise<Waiting[]> {
    if (Date.now() - crowdAt > CROWD_MS) {
      crowdAt = Date.now();
      crowd = withoutDeadline(() => available(readCrowd));
    }
    return crowd;
  }

  /** How many of its owner's in the same lane stand before each. */
  function readRanks(ids: readonly string[]) {
    return sql<{ id: string; userId: string; child: boolean; rank: number }[]>`
      select id, user_id as "userId", child, (rank - 1)::int as rank from (
        select id, user_id, job_name = any(${inChild}) as child, row_number() over (partition by user_id, job_name = any(${inChild}) order by priority desc, due_at, id) as rank
        from queued_jobs where status = 'PENDING' and due_at <= clock_timestamp()
          and user_id in (select user_id from queued_jobs where id = any(${[...ids]}))) ranked
      where id = any(${[...ids]})`;
  }

  return {
    async find(ids) {
      const [ranks, waiting, rates] = await Promise.all([available(() => readRanks(ids)), seeCrowd(), readRates(deps.startRate)]);
      const byId = new Map(ranks.map(({ id, userId, child, rank }) => [id, toPlace(waiting, rates, { userId, lane: laneOf(child), rank })]));
      return ids.map((id) => byId.get(id) ?? null);
    },
  };
}

async function readRates(startRate: Pick<StartRate, "rate">): Promise<Map<Lane, number | null>> {
  return new Map(await Promise.all(LANES.map(async (lane) => [lane, await startRate.rate(lane)] as const)));
}

function toPlace(waiting: Waiting[], rates: ReadonlyMap<Lane, number | null>, { userId, lane, rank }: { userId: string; lane: Lane; rank: number }): Place {
  const before = (Math.floor(rank / HINT_BLOCK) + 1) * HINT_BLOCK;
  const others = waiting.filter((row) => row.lane === lane && row.userId !== userId);
  const position = rank + others.reduce((sum, { count }) => sum + Math.min(count, before), 0);
  const rate = rates.get(lane);
  return { position, startsAt: rate ? new Date(Date.now() + ((position + 1) / rate) * 1000).toISOString() : null };
}
