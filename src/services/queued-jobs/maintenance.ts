// Restores lost hints from the rows. A partial index finds the rows that are due, whatever the size
// of the table.
import { LRUCache } from "lru-cache";
import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import { MAX_DELAY_MS } from "../../queue/hint-queue.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import type { Task } from "../../tasks/define-task.js";
import { isPaused } from "../operators/paused-rows.js";
import { FIRST_ID } from "../reads/ids.js";
import type { Dispatcher } from "./dispatch.js";

export interface HintDueDeps {
  sql: Sql;
  dispatcher: Pick<Dispatcher, "addMissing">;
  catalogue: ReadonlyMap<string, Task>;
  /** Called when a row is set aside, because its hint cannot be added. */
  onSetAside?: () => void;
  log: Logger;
}

export function createHintDue({ sql, catalogue, log, ...deps }: HintDueDeps) {
  const reported = new Set<string>();
  const adding = createAdding({ ...deps, log });

  function isWanted(row: DueRow, sweep: DueSweep): boolean {
    if (row.paused || (sweep.patient && !row.settled) || adding.isAside(row)) return false;
    if (catalogue.has(row.jobName)) return true;
    reportUnknown(row.jobName);
    return sweep.admitsUnknown(row.jobName);
  }

  /** Such rows wait for a worker that has the task; perhaps none has it. */
  function reportUnknown(job: string): void {
    if (reported.has(job)) return;
    reported.add(job);
    log.warn(
      { job },
      "this worker lacks the task of waiting jobs: give all workers the same TASKS",
    );
  }

  /**
   * Restores lost hints of the next `limit` rows of this sweep and returns their number. When it
   * throws, the sweep keeps its position.
   */
  return async (sweep: DueSweep, limit: number): Promise<number> => {
    const page = { after: sweep.position, sinceMs: sweep.sinceMs, limit, aheadMs: MAX_DELAY_MS };
    const due = await available(() => findDue(sql, page));
    await failpoint("reconcile: before the hints");
    const wanted = [];
    for (const row of due) {
      const backlog = row.paused ? 0 : sweep.countBacklog(row);
      if (!isWanted(row, sweep)) continue;
      const { id, userId, run, requestId, priority, delayMs, jobName } = row;
      const hint = { id, userId, run, requestId, priority, delayMs, backlog, jobName };
      wanted.push({ ...hint, ...(row.grouped && { grouped: true as const }) });
    }
    const missing = await adding.add(wanted);
    sweep.pass(due, limit);
    return missing;
  };
}

/** Time for which a row is set aside after its hint could not be added. */
const ASIDE_MS = 60_000;
/** Maximum rows of a page that are set aside; with more, the fault is not in the rows. */
const MAX_ASIDE = 10;

type Hints = Parameters<Dispatcher["addMissing"]>[0];

/** Adds missing hints. A row whose hint cannot be added does not stop the others. */
function createAdding({ dispatcher, onSetAside, log }: Omit<HintDueDeps, "sql" | "catalogue">) {
  const aside = new LRUCache<string, true>({ max: 1000, ttl: ASIDE_MS });

  /** Halves the rows until each faulty one is alone. */
  async function add(rows: Hints, faults: { id: string; error: unknown }[]): Promise<number> {
    try {
      return await dispatcher.addMissing(rows);
    } catch (error) {
      const [row, ...others] = rows;
      const isFaultOfAll = faults.length === MAX_ASIDE || error instanceof ServiceUnavailableError;
      if (isFaultOfAll || !row) throw error;
      if (others.length === 0) {
        faults.push({ id: row.id, error });
        return 0;
      }
      const half = Math.ceil(rows.length / 2);
      return (await add(rows.slice(0, half), faults)) + (await add(rows.slice(half), faults));
    }
  }

  return {
    isAside: ({ id }: DueRow) => aside.has(id),
    /** Returns the number of hints that were missing. */
    async add(rows: Hints): Promise<number> {
      const faults: { id: string; error: unknown }[] = [];
      const missing = await add(rows, faults);
      for (const { id, error } of faults) {
        aside.set(id, true);
        onSetAside?.();
        log.error({ err: error, queuedJobId: id }, "the hint of a row could not be added");
      }
      return missing;
    },
  };
}

/** The position of a sweep: after this row in the order of `(due_at, id)`. */
export interface DuePosition {
  dueAt: string;
  id: string;
}

/** Minimum age of the last change of a row before its hint counts as lost. */
const SETTLED_SECONDS = 5;

export interface DueRow {
  id: string;
  userId: string;
  jobName: string;
  run: number;
  requestId: string;
  priority: number;
  dueAt: string;
  /** Milliseconds until it is due; 0 when it is due already. */
  delayMs: number;
  /** True when the last change is so old that the hint must have arrived. */
  settled: boolean;
  paused: boolean;
  /** True if it has a group. */
  grouped: boolean;
  /** Place in the page, from 1; paused rows have one too. */
  place: number;
}

export interface DuePage {
  after: DuePosition;
  /** Leaves out rows that were due longer ago than this; null for all rows. */
  sinceMs: number | null;
  limit: number;
  /** Includes rows that become due within this time. */
  aheadMs: number;
}

/**
 * Returns a page of waiting rows that are due, in the order of `(due_at, id)`. Paused rows are left
 * out, except for the last one of a full page, where the next page starts. A page therefore reads
 * at most `limit` rows, however many are paused.
 */
export function findDue(sql: Sql, { after, sinceMs, limit, aheadMs }: DuePage): Promise<DueRow[]> {
  // Beware: an index condition cannot use clock_timestamp(), and all later rows would be read.
  return sql<DueRow[]>`
    select * from (
      select id, user_id as "userId", job_name as "jobName", run, request_id as "requestId",
        priority, due_at::text as "dueAt",
        greatest(0, extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as "delayMs",
        updated_at < clock_timestamp() - ${SETTLED_SECONDS} * interval '1 second' as settled,
        ${isPaused(sql)} as paused, group_id is not null as grouped,
        row_number() over (order by due_at, id)::int as place
      from queued_jobs
      where status = 'PENDING' and (due_at, id) > (greatest(${after.dueAt}::timestamptz,
          now() - ${sinceMs}::float8 * interval '1 millisecond'), ${after.id}::uuid)
        and due_at < now() + ${aheadMs} * interval '1 millisecond'
      order by due_at, id limit ${limit}) page
    where not paused or place = ${limit} order by place`;
}

/**
 * Maximum owners whose passed rows are counted; the count of the least recent one restarts at 0.
 */
const MAX_OWNERS = 20_000;
/** Maximum hints that one sweep restores for one unknown Job. */
const MAX_UNKNOWN = 100;

/** Walks over due rows page by page, starting with the one that is due longest. */
export class DueSweep {
  readonly patient: boolean;
  #sinceMs: number | null;
  #position: DuePosition = { dueAt: "-infinity", id: FIRST_ID };
  #ended = false;
  readonly #passed = new LRUCache<string, Map<number, number>>({ max: MAX_OWNERS });
  readonly #unknown = new Map<string, number>();

  /**
   * A patient sweep skips recently changed rows, because their hints are on their way. One with
   * `sinceMs` starts with the rows that became due this long ago.
   */
  constructor({ patient, sinceMs = null }: { patient: boolean; sinceMs?: number | null }) {
    this.patient = patient;
    this.#sinceMs = sinceMs;
  }

  get position(): DuePosition {
    return this.#position;
  }

  /** Null once rows were passed, and for a sweep over all rows. */
  get sinceMs(): number | null {
    return this.#sinceMs;
  }

  /** True after the last page. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Counts the rows of the same owner, of at least the same priority, that the sweep has passed.
   * The hint then gets the place that it had after its submission, so no first row waits behind
   * thousands.
   */
  countBacklog({ userId, priority }: DueRow): number {
    const passed = this.#passed.get(userId) ?? new Map<number, number>();
    let backlog = 0;
    for (const [other, count] of passed) if (other >= priority) backlog += count;
    passed.set(priority, (passed.get(priority) ?? 0) + 1);
    this.#passed.set(userId, passed);
    return backlog;
  }

  /** Limits the hints of an unknown Job: another version may run it, but possibly none does. */
  admitsUnknown(jobName: string): boolean {
    const count = this.#unknown.get(jobName) ?? 0;
    this.#unknown.set(jobName, count + 1);
    return count < MAX_UNKNOWN;
  }

  /** Moves the position after these rows; a page with fewer than `limit` rows is the last one. */
  pass(rows: DueRow[], limit: number): void {
    const last = rows.at(-1);
    if (last) {
      this.#position = { dueAt: last.dueAt, id: last.id };
      this.#sinceMs = null;
    }
    this.#ended = (last?.place ?? 0) < limit;
  }
}
