// The parts of a transition that its forms share: for one row, for many, and for rows of groups.
import type { Fragment, Sql } from "postgres";
import { OVER_QUOTA, OVER_RECORDED, PHOTO_GONE } from "../../../db/refusals.js";
import { isFinished, TRANSITIONS } from "../../../domain/queued-job-status.js";

export interface TransitionParts {
  /** The name of the step, which determines the statuses before and after it and the event. */
  step: Exclude<keyof typeof TRANSITIONS, "enqueue" | "delete">;
  id: string;
  /** Selects the row, with all other conditions. */
  where: Fragment;
  /** Columns that change besides status and version; begins with a comma. */
  set: Fragment;
  /** Change of the owner's number of unfinished QueuedJobs. */
  pending: -1 | 0 | 1;
  /**
   * Maximum unfinished QueuedJobs of the owner; above it, the whole statement fails with
   * OVER_QUOTA.
   */
  maxPending?: number;
  /**
   * Maximum recorded bytes of the owner; above it, the whole statement fails with OVER_RECORDED.
   */
  maxRecordedBytes?: number | undefined;
  /** Uses the form that also steps rows of groups. Without it, a row of a group costs two tries. */
  grouped?: boolean | undefined;
  /** Seconds for which a group is kept that this step finishes. */
  ttlSeconds?: number;
  /** Requires all photos to exist; otherwise the whole statement fails with PHOTO_GONE. */
  needsPhotos?: boolean;
  /**
   * Makes a statement with rows of several users wait only briefly for a lock, then fail as a
   * whole. For a single row, `where` does so, and this is for the form with groups only.
   */
  brief?: true;
  /** Outputs as events show them, and an expression that records them. */
  outputs?: {
    json: string;
    bytes: number;
    record: Fragment;
    /** Maximum bytes of the owner's files; above it, the whole statement fails with OVER_QUOTA. */
    maxStoredBytes: number;
  };
}

/**
 * `where` and `set` refer to the row as in `transition`, and may use the columns of the item `i`.
 */
export interface ManyTransitionParts extends Omit<TransitionParts, "id" | "where" | "outputs"> {
  where?: Fragment;
  ids: string[];
  /** Further values of each item: arrays as long as `ids`, and the names of their columns. */
  more?: { arrays: Fragment; columns: Fragment };
  /** Treats a row that another process has locked like a row whose guard does not hold. */
  skipLocked?: true;
}

/** The form for rows of groups takes one row or many. */
export type GroupedParts = ManyTransitionParts & Pick<TransitionParts, "outputs">;

export function finishes({ step }: Pick<TransitionParts, "step">): boolean {
  return isFinished(TRANSITIONS[step].to);
}

/** Updates the row with `set` and with the columns that change in every step. */
export function update(sql: Sql, { step, set }: Pick<TransitionParts, "step" | "set">): Fragment {
  return sql`update queued_jobs set status = ${TRANSITIONS[step].to}, version = version + 1,
    updated_at = now() ${step === "retry" ? sql`, due_at = now()` : sql``} ${set}`;
}

/**
 * Makes the statement fail when a counter is missing or above its limit, or when a photo is gone.
 * `photoCount` counts the locked photos of the row.
 */
export function refusals(
  sql: Sql,
  {
    maxPending,
    maxRecordedBytes,
    needsPhotos,
    outputs,
  }: Pick<TransitionParts, "maxPending" | "maxRecordedBytes" | "needsPhotos" | "outputs">,
  photoCount: Fragment,
): Fragment {
  const none = sql``;
  return sql`case
    when e.seq is null then refuse(${OVER_QUOTA})
    ${
      maxPending === undefined
        ? none
        : sql`when s.pending > ${maxPending}
    then refuse(${OVER_QUOTA})`
    }
    ${
      outputs
        ? sql`when s.stored_bytes > ${outputs.maxStoredBytes}
    then refuse(${OVER_QUOTA})`
        : none
    }
    ${
      maxRecordedBytes === undefined
        ? none
        : sql`
    when s.recorded_bytes > ${maxRecordedBytes} then refuse(${OVER_RECORDED})`
    }
    ${
      needsPhotos
        ? sql`
    when (${photoCount}) <> j.photo_count then refuse(${PHOTO_GONE})`
        : none
    } end`;
}

/** Recorded bytes that a step adds for a row of `j`: its event, and a result if it succeeds. */
export function recordedBy(sql: Sql, step: TransitionParts["step"]): Fragment {
  return step === "succeed" ? sql`j.event_bytes + j.result_bytes` : sql`j.event_bytes`;
}

/**
 * Locks the photos of the row `t` against deletion. The counter `s` is locked first, in the same
 * order as the deletion of a photo. Reading links is not enough: links and photos may go while this
 * statement waits for the counter.
 */
export function lockedPhotos(sql: Sql, ofOwner = sql`true`): Fragment {
  return sql`select l.queued_job_id from t join s on ${ofOwner}
    join queued_job_photos l on l.queued_job_id = t.id
    join photos x on x.id = l.photo_id for key share of x`;
}

/** Counts the owner's unfinished rows after each step, so that each new hint has its own place. */
export function unfinishedAfter(sql: Sql, pending: TransitionParts["pending"]): Fragment {
  return pending === 1 ? sql`(s.pending - (s.last_seq - e.seq))::int` : sql`s.pending`;
}
