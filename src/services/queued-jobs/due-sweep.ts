// Finds the rows whose hints may be lost, by pages. They follow an index: a page costs the same
// however many rows wait.
import { LRUCache } from "lru-cache";
import type { Sql } from "postgres";
import { FIRST_ID } from "../reads/ids.js";

/** Where a sweep stands: behind this row in the order of `(due_at, id)`. */
export interface DuePosition {
  dueAt: string;
  id: string;
}

/** How long a row has not been touched before its hint is taken for lost. */
const PATIENCE_SECONDS = 5;

export interface DueRow {
  id: string;
  userId: string;
  jobName: string;
  run: number;
  requestId: string;
  priority: number;
  dueAt: string;
  /** From now; 0 when it is due already. */
  delayMs: number;
  /** Whether it was touched so long ago that its hint must have arrived. */
  settled: boolean;
}

export interface DuePage {
  after: DuePosition;
  limit: number;
  /** Rows that are due within so many milliseconds belong to it, too. */
  aheadMs: number;
}

/** A page of the rows that wait and are due, in the order of `(due_at, id)`. */
export function findDue(sql: Sql, { after, limit, aheadMs }: DuePage): Promise<DueRow[]> {
  // Not clock_timestamp(): no index bounds it, so all rows that are due later would be read.
  return sql<DueRow[]>`
    select id, user_id as "userId", job_name as "jobName", run, request_id as "requestId", priority,
      due_at::text as "dueAt",
      greatest(0, extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as "delayMs",
      updated_at < clock_timestamp() - ${PATIENCE_SECONDS} * interval '1 second' as settled
    from queued_jobs
    where status = 'PENDING' and (due_at, id) > (${after.dueAt}::timestamptz, ${after.id}::uuid)
      and due_at < now() + ${aheadMs} * interval '1 millisecond'
    order by due_at, id limit ${limit}`;
}

/** Owners whose passed rows are counted; the owner seen longest ago is counted from 0 again. */
const MAX_OWNERS = 20_000;
/** Rows of one unknown Job whose hints are put back in one sweep. */
const MAX_UNKNOWN = 100;

/** A walk over all rows that are due, from the one that is due for longest, by pages. */
export class DueSweep {
  readonly patient: boolean;
  #position: DuePosition = { dueAt: "-infinity", id: FIRST_ID };
  #ended = false;
  readonly #passed = new LRUCache<string, Map<number, number>>({ max: MAX_OWNERS });
  readonly #unknown = new Map<string, number>();

  /** `patient`: rows of this moment are left out, since their hints are on their way. */
  constructor({ patient }: { patient: boolean }) {
    this.patient = patient;
  }

  get position(): DuePosition {
    return this.#position;
  }

  /** Whether the last page was passed. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Counts the rows of the same owner, of at least its priority, that were passed before this one.
   * Its hint then stands where it stood after its submission: no first row waits behind thousands.
   */
  countBacklog({ userId, priority }: DueRow): number {
    const passed = this.#passed.get(userId) ?? new Map<number, number>();
    let backlog = 0;
    for (const [other, count] of passed) if (other >= priority) backlog += count;
    passed.set(priority, (passed.get(priority) ?? 0) + 1);
    this.#passed.set(userId, passed);
    return backlog;
  }

  /** Whether the hint of an unknown Job is put back: another version may run it, or none. */
  admitsUnknown(jobName: string): boolean {
    const count = this.#unknown.get(jobName) ?? 0;
    this.#unknown.set(jobName, count + 1);
    return count < MAX_UNKNOWN;
  }

  /** Goes on behind these rows; fewer than `limit` are the last. */
  pass(rows: DueRow[], limit: number): void {
    const last = rows.at(-1);
    if (last) this.#position = { dueAt: last.dueAt, id: last.id };
    this.#ended = rows.length < limit;
  }
}
