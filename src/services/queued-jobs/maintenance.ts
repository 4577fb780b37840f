// The row work of the reconciler: it takes over attempts of dead workers and restores lost hints. A
// partial index finds all of these rows, whatever the size of the table.
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
import { stall } from "./attempt.js";
import type { Attempt } from "./claim.js";
import { logFields, type Committer } from "./commit.js";
import type { Dispatcher } from "./dispatch.js";
import type { Step } from "./statements.js";

export interface TakeOverDeps {
  sql: Sql;
  ttlSeconds: number;
  commit: Committer["commit"];
  log: Logger;
}

/** Maximum concurrent take-overs, each with its own statement. */
const CONCURRENCY = 4;
/** Failures because of PostgreSQL or a locked row after which the rest waits for the next call. */
const MAX_UNAVAILABLE = 3;
/** Time for which a row that cannot be taken over is skipped. */
const LEFT_OUT_MS = 60_000;

/** Takes over attempts whose worker died. A row that fails does not stop the others. */
export function createTakeOver({ sql, ttlSeconds, commit, log }: TakeOverDeps) {
  const leftOut = new Set<string>();
  let since = Date.now();

  async function takeOver(
    lapsed: Attempt,
    failures: ServiceUnavailableError[],
  ): Promise<Step | null> {
    try {
      const step = await commit({
        step: "backOff",
        write: () => stall(sql, { ...lapsed, ttlSeconds }),
        eventsOf: (one) => [one],
        delayMs: 0,
      });
      if (step) report(step);
      return step;
    } catch (error) {
      const isAway = error instanceof ServiceUnavailableError;
      if (isAway) failures.push(error);
      else leftOut.add(lapsed.id);
      const fault = { err: error, queuedJobId: lapsed.id, attempt: lapsed.attempt };
      log[isAway ? "debug" : "error"](fault, "an attempt could not be taken over");
      return null;
    }
  }

  function report(step: Step): void {
    const again = step.type === "RETRYING";
    log.warn({ ...logFields(step), again }, "the worker of an attempt died");
  }

  /** Returns the number of take-overs; throws ServiceUnavailableError after several failures. */
  return async (limit: number): Promise<number> => {
    if (Date.now() - since > LEFT_OUT_MS) {
      leftOut.clear();
      since = Date.now();
    }
    const lapsed = await available(() => findLapsed(sql, limit, [...leftOut]));
    const failures: ServiceUnavailableError[] = [];
    let taken = 0;
    for (let i = 0; i < lapsed.length; i += CONCURRENCY) {
      const some = lapsed.slice(i, i + CONCURRENCY).map((one) => takeOver(one, failures));
      taken += (await Promise.all(some)).filter((step) => step !== null).length;
      if (failures.length >= MAX_UNAVAILABLE) throw failures[0] as Error;
    }
    return taken;
  };
}

/** Finds attempts whose lease was not renewed in time. */
export function findLapsed(sql: Sql, limit: number, leftOut: string[] = []): Promise<Attempt[]> {
  return sql<Attempt[]>`
    select id, attempts as attempt from queued_jobs
    where status = 'STARTED' and lease_until < clock_timestamp() and id <> all(${leftOut}::uuid[])
    order by lease_until limit ${limit}`;
}

export interface HintDueDeps {
  sql: Sql;
  dispatcher: Dispatcher;
  catalogue: ReadonlyMap<string, Task>;
  log: Logger;
}

export function createHintDue({ sql, dispatcher, catalogue, log }: HintDueDeps) {
  const reported = new Set<string>();

  function isWanted(row: DueRow, sweep: DueSweep): boolean {
    if (row.paused || (sweep.patient && !row.settled)) return false;
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
    const page = { after: sweep.position, limit, aheadMs: MAX_DELAY_MS };
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
    const missing = await dispatcher.addMissing(wanted);
    sweep.pass(due, limit);
    return missing;
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
  limit: number;
  /** Includes rows that become due within this time. */
  aheadMs: number;
}

/**
 * Returns a page of waiting rows that are due, in the order of `(due_at, id)`. Paused rows are left
 * out, except for the last one of a full page, where the next page starts. A page therefore reads
 * at most `limit` rows, however many are paused.
 */
export function findDue(sql: Sql, { after, limit, aheadMs }: DuePage): Promise<DueRow[]> {
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
      where status = 'PENDING' and (due_at, id) > (${after.dueAt}::timestamptz, ${after.id}::uuid)
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

/** Walks over all due rows page by page, starting with the one that is due longest. */
export class DueSweep {
  readonly patient: boolean;
  #position: DuePosition = { dueAt: "-infinity", id: FIRST_ID };
  #ended = false;
  readonly #passed = new LRUCache<string, Map<number, number>>({ max: MAX_OWNERS });
  readonly #unknown = new Map<string, number>();

  /** A patient sweep skips recently changed rows, because their hints are on their way. */
  constructor({ patient }: { patient: boolean }) {
    this.patient = patient;
  }

  get position(): DuePosition {
    return this.#position;
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
    if (last) this.#position = { dueAt: last.dueAt, id: last.id };
    this.#ended = (last?.place ?? 0) < limit;
  }
}
