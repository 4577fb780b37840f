// The course of an attempt: progress, failure, and the death of its worker. Its success is in
// success.ts.
import type { Fragment, Sql } from "postgres";
import type { JobGroup } from "../../domain/job-group.js";
import { isGrouped, type Instant } from "../../domain/queued-job.js";
import { createMicroBatch } from "../../runtime/micro-batch.js";
import type { Task } from "../../tasks/define-task.js";
import { fence, type Claimed } from "./claim.js";
import { hasLapsed, type Attempt } from "./claim/leases.js";
import type { Committer, ProgressEvent } from "./commit.js";
import { briefLocks, finish, groupJson, type Step } from "./statements.js";
import { transition } from "./transition.js";

export interface AttemptsDeps {
  sql: Sql;
  catalogue: ReadonlyMap<string, Task>;
  committer: Committer;
  ttlSeconds: number;
}

export function createAttempts({ sql, catalogue, committer, ttlSeconds }: AttemptsDeps) {
  const { commitOne } = committer;
  const recordInBatch = createProgressBatch({ sql, committer });
  return {
    /**
     * Takes a fraction from 0 to 1. Returns false when the attempt is over, so its task may stop.
     */
    async progress(claimed: Claimed, progress: number, message: string | null): Promise<boolean> {
      const { id, attempt } = claimed;
      return (await recordInBatch({ id, attempt, progress, message, claimed })) !== null;
    },

    /**
     * Records FAILED when the fault is `permanent` or no attempt is left. Otherwise the QueuedJob
     * returns to PENDING and is due after a pause.
     */
    async fail(
      claimed: Claimed,
      fault: { code: string; message: string; permanent: boolean },
    ): Promise<"FAILED" | "RETRYING" | null> {
      const grouped = isGrouped(claimed.queuedJob);
      const maxAttempts = catalogue.get(claimed.queuedJob.jobName)?.maxAttempts ?? 1;
      if (fault.permanent || claimed.failures + 1 >= maxAttempts)
        return (
          (await commitOne("fail", () =>
            fail(sql, { ...claimed, ...fault, ttlSeconds, grouped }),
          )) && "FAILED"
        );
      const delayMs = backOffMs(claimed.failures);
      const write = () => backOff(sql, { ...claimed, ...fault, delayMs, grouped });
      return (await commitOne("backOff", write, { delayMs })) && "RETRYING";
    },

    /**
     * Returns a QueuedJob whose worker stops or lacks a store. It counts neither as a failure nor
     * as a death, and is due after `delayMs`.
     */
    async handBack({ id, attempt, queuedJob }: Claimed, delayMs: number): Promise<void> {
      const back = { id, attempt, delayMs, grouped: isGrouped(queuedJob) };
      await commitOne("backOff", () => handBack(sql, back), { delayMs });
    },
  };
}

interface Report extends Progress {
  claimed: Claimed;
}

/** Maximum reports per statement. */
const MAX_REPORTS = 100;

/** Records concurrent reports of several attempts in one statement. */
function createProgressBatch({ sql, committer }: Pick<AttemptsDeps, "sql" | "committer">) {
  const send = (reports: Report[]) =>
    committer.commit({
      step: "progress",
      write: () => {
        const grouped = reports.some(({ claimed }) => isGrouped(claimed.queuedJob));
        return recordProgress(sql, reports, { grouped });
      },
      eventsOf: (recorded) => reports.map((report, i) => toEvent(report, recorded[i] ?? null)),
    });
  return createMicroBatch<Report, RecordedProgress | null>({
    lanes: 1,
    maxItems: MAX_REPORTS,
    keyOf: ({ id }) => id,
    laneOf: () => "",
    sendOne: async (report) => (await send([report]))[0] ?? null,
    sendMany: send,
  });
}

function toEvent(
  { claimed, message }: Report,
  recorded: RecordedProgress | null,
): ProgressEvent | null {
  if (!recorded) return null;
  const { progress, updatedAt, group } = recorded;
  const { member } = claimed.snapshot;
  const queuedJob = {
    ...claimed.snapshot,
    progress,
    updatedAt,
    progressMessage: message,
    ...(member && group && { member: { ...member, group } }),
  };
  return { seq: claimed.startedSeq, type: "PROGRESS", at: recorded.updatedAt, queuedJob };
}

const FIRST_MS = 1000;
const LONGEST_MS = 5 * 60_000;

/**
 * The pause after failure number `failures` + 1. It doubles from one second, and half of it is
 * random so that retries spread out.
 */
export function backOffMs(failures: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
  return Math.round(full / 2 + (full / 2) * random());
}

function fail(
  sql: Sql,
  {
    id,
    attempt,
    code,
    message,
    ttlSeconds,
    grouped,
  }: Attempt & { code: string; message: string; ttlSeconds: number; grouped: boolean },
): Promise<Step | null> {
  return transition(sql, {
    step: "fail",
    id,
    where: fence(sql, { id, attempt }),
    grouped,
    ttlSeconds,
    set: sql`, failures = failures + 1, error_code = ${code},
      error_message = ${message} ${finish(sql, ttlSeconds)}`,
    pending: -1,
  });
}

/** STARTED → PENDING after a failed attempt, due after `delayMs`. */
function backOff(
  sql: Sql,
  {
    id,
    attempt,
    code,
    message,
    delayMs,
    grouped,
  }: Attempt & { code: string; message: string; delayMs: number; grouped: boolean },
): Promise<Step | null> {
  return transition(sql, {
    step: "backOff",
    id,
    grouped,
    where: fence(sql, { id, attempt }),
    set: sql`, run = run + 1, failures = failures + 1, lease_until = null, error_code = ${code},
      error_message = ${message}, ${dueIn(sql, delayMs)}`,
    pending: 0,
  });
}

/** STARTED → PENDING because the worker stops or lacks a store: neither a failure nor a death. */
function handBack(
  sql: Sql,
  { delayMs, grouped, ...attempt }: Attempt & { delayMs: number; grouped: boolean },
): Promise<Step | null> {
  return transition(sql, {
    step: "backOff",
    id: attempt.id,
    grouped,
    where: fence(sql, attempt),
    set: sql`, run = run + 1, lease_until = null, ${dueIn(sql, delayMs)}`,
    pending: 0,
  });
}

function dueIn(sql: Sql, delayMs: number): Fragment {
  return sql`due_at = clock_timestamp() + ${delayMs} * interval '1 millisecond'`;
}

/** Maximum attempts of one QueuedJob whose worker dies; then it fails. */
const MAX_STALLS = 2;
const STALL_MESSAGE = "The worker of this attempt died or lost its connection.";

/**
 * Handles a lapsed lease: back to PENDING, or FAILED at the second death. Returns null while
 * another process has locked the row, because a wait would delay other lapsed attempts.
 */
export async function stall(
  sql: Sql,
  { id, attempt, ttlSeconds }: Attempt & { ttlSeconds: number },
): Promise<Step | null> {
  const lapsed = sql`id = (
    select id from queued_jobs
    where ${fence(sql, { id, attempt })} and ${hasLapsed(sql)}
    for no key update skip locked) and ${briefLocks(sql)}`;
  const again = await transition(sql, {
    step: "backOff",
    id,
    brief: true,
    where: sql`${lapsed} and stalls + 1 < ${MAX_STALLS}`,
    set: sql`, run = run + 1, stalls = stalls + 1, lease_until = null, error_code = 'STALLED',
      error_message = ${STALL_MESSAGE}, due_at = clock_timestamp()`,
    pending: 0,
  });
  if (again) return again;
  return transition(sql, {
    step: "fail",
    id,
    brief: true,
    ttlSeconds,
    where: sql`${lapsed} and stalls + 1 >= ${MAX_STALLS}`,
    set: sql`, stalls = stalls + 1, error_code = 'STALLED', error_message =
      ${`${STALL_MESSAGE} This happened ${MAX_STALLS} times, so there is no further attempt.`}
      ${finish(sql, ttlSeconds)}`,
    pending: -1,
  });
}

export interface Progress extends Attempt {
  progress: number;
  message: string | null;
}

export interface RecordedProgress {
  progress: number;
  updatedAt: Instant;
  /** The group at about this moment; absent without one. */
  group?: JobGroup | null;
}

/** Adds the groups of the rows `u`, with the mean progress of their members before this report. */
function withGroups(sql: Sql): Fragment {
  return sql`select u.id, u.progress, u."updatedAt", x.group from u left join lateral (
    select ${groupJson(sql)} || jsonb_build_object('progress',
      (g.succeeded + g.failed + g.cancelled + coalesce((select sum(q.progress) from queued_jobs q
        where q.group_id = g.id and q.status = (select 'STARTED')), 0)) / g.total) as "group"
    from job_groups g where g.user_id = u.user_id and g.id = u.group_id) x on true`;
}

/**
 * Records progress, which never decreases; null for attempts that are over or locked. It changes no
 * version and writes no event to the log.
 */
export async function recordProgress(
  sql: Sql,
  reports: Progress[],
  { grouped = false } = {},
): Promise<(RecordedProgress | null)[]> {
  const rows = await sql<(RecordedProgress & { id: string })[]>`
    with i as materialized (
      select * from unnest(${reports.map(({ id }) => id)}::uuid[],
        ${reports.map(({ attempt }) => attempt)}::int[],
        ${reports.map(({ progress }) => progress)}::float8[],
        ${reports.map(({ message }) => message)}::text[])
        as i(item_id, item_attempt, item_progress, item_message) order by item_id),
    l as materialized (
      select i.* from i cross join lateral (select from queued_jobs where id = i.item_id
        and attempts = i.item_attempt and status = 'STARTED' for no key update skip locked) q)
    ${grouped ? sql`, u as (` : sql``}
    update queued_jobs set progress = greatest(progress, l.item_progress),
      progress_message = l.item_message, updated_at = now()
    from l where id = l.item_id
    returning id, progress, rfc3339(updated_at) as "updatedAt"
    ${grouped ? sql`, group_id, user_id) ${withGroups(sql)}` : sql``}`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  return reports.map(({ id }) => byId.get(id) ?? null);
}
