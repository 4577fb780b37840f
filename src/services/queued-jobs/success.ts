// Success of an attempt: by new work, or by an earlier result of the same work.
import type { Fragment, Sql } from "postgres";
import { available, sqlState } from "../../db/database.js";
import { OVER_QUOTA, OVER_RECORDED } from "../../db/refusals.js";
import {
  isGrouped,
  type QueuedJob,
  type StoredOutput,
  type TaskSuccess,
} from "../../domain/queued-job.js";
import type { Slots } from "../../runtime/concurrency.js";
import { noTracer, type Tracer } from "../../runtime/tracer.js";
import type { Task } from "../../tasks/define-task.js";
import { quotaExceeded } from "../photos/quota-exceeded.js";
import { fence, type Claimed } from "./claim.js";
import type { Attempt } from "./claim/leases.js";
import { DATABASE, type Committer, type Recorded } from "./commit.js";
import { createOwnerBatch } from "./owner-batch.js";
import { briefLocks, finish, MAX_SNAPSHOT_VALUE_BYTES, type Step } from "./statements.js";
import { transition, transitionMany } from "./transition.js";

export interface SuccessesDeps {
  sql: Sql;
  catalogue: ReadonlyMap<string, Task>;
  committer: Committer;
  tracer?: Tracer;
  limits: SuccessLimits;
  ttlSeconds: number;
  /** Shared with claims. */
  turns: Slots;
}

export interface SuccessLimits {
  /** Maximum bytes of the photos and outputs of an owner. */
  maxStoredBytes: number;
  /** Maximum recorded bytes of an owner. A small result is recorded even above this limit. */
  maxRecordedBytes: number;
}

export function createSuccesses(deps: SuccessesDeps) {
  const { sql, catalogue, committer, tracer = noTracer, limits, ttlSeconds } = deps;
  const succeedInBatch = createSuccessBatch(deps);

  /** The version of the task's results; null when they may not be reused. */
  function resultVersion({ jobName, member }: QueuedJob): number | null {
    const task = catalogue.get(jobName);
    // The photos that predecessors make are not known by an id.
    return task && !member?.takesPhotos ? reusableVersion(task) : null;
  }

  return {
    /** Finds an earlier success of the same work by the same task, if it may be reused. */
    async findEarlierResult({ id, queuedJob }: Claimed): Promise<EarlierResult | null> {
      const version = resultVersion(queuedJob);
      return version === null ? null : available(() => findEarlierResult(sql, { id, version }));
    },

    /**
     * Returns false when the attempt was already over; its outputs then belong to no row. Throws
     * QuotaExceededError when there is no room for the outputs, or for a result that is not small.
     */
    async succeed(
      claimed: Claimed,
      value: unknown,
      outputs: StoredOutput[],
      reusedFrom: string | null = null,
    ): Promise<boolean> {
      const { id, attempt, queuedJob } = claimed;
      const version = resultVersion(queuedJob);
      const result = JSON.stringify(value ?? null);
      // Tasks with photos are rare at any moment and write more, so a batch does not help them.
      if (version === null && outputs.length === 0 && isSmall(result)) {
        const grouped = isGrouped(queuedJob);
        const plain = { id, attempt, result, grouped, userId: queuedJob.userId };
        const { written: step, followed } = await tracer.span("record succeed", DATABASE, () =>
          succeedInBatch(plain),
        );
        await followed;
        committer.logSteps([step], "succeed");
        return step !== null;
      }
      const grouped = isGrouped(queuedJob);
      const work = { id, attempt, result, grouped, outputs, reusedFrom, resultVersion: version };
      const success = { ...work, ...limits, ttlSeconds };
      return (await committer.commitOne("succeed", () => succeed(sql, success))) !== null;
    },
  };
}

/** Maximum successes per statement: as many as a worker runs at once. */
const MAX_ITEMS = 100;
/** Time that a success waits for locked rows before its worker tries again. */
const LOCK_TIMEOUT_MS = 2000;

const NOTHING: Recorded<null> = { written: null, followed: Promise.resolve() };

/** Records successes of tasks without photos in batches. */
function createSuccessBatch({ sql, committer, limits, ttlSeconds, turns }: SuccessesDeps) {
  const plain = { outputs: [], reusedFrom: null, resultVersion: null, ...limits, ttlSeconds };
  // The turn ends with the statement, before the hints of successors are in the queue.
  async function record(write: () => Promise<(Step | null)[]>): Promise<Recorded<Step | null>[]> {
    const change = { step: "succeed", write, eventsOf: (steps: (Step | null)[]) => steps } as const;
    const { written, followed } = await committer.record(change);
    return written.map((step) => ({ written: step, followed }));
  }
  return createOwnerBatch<PlainSuccess & { userId: string }, Recorded<Step | null>>({
    lanes: 1,
    maxItems: MAX_ITEMS,
    keyOf: ({ id }) => id,
    laneOf: () => "",
    ownerOf: ({ userId }) => userId,
    timeoutMs: LOCK_TIMEOUT_MS,
    turns,
    async sendOne(item) {
      const [one] = await record(async () => [
        await succeed(sql, { ...item, ...plain, brief: true }),
      ]);
      return one ?? NOTHING;
    },
    sendMany: (items) => record(() => succeedMany(sql, items, ttlSeconds)),
  });
}

/** The success of a task without photos: no files, and a small result that is not reused. */
export interface PlainSuccess extends Attempt {
  /** JSON text. */
  result: string;
  /** True if the QueuedJob has a group. */
  grouped?: boolean;
}

/** Small results are recorded even without room. */
function isSmall(result: string): boolean {
  return Buffer.byteLength(result) <= MAX_SNAPSHOT_VALUE_BYTES;
}

export interface Success extends PlainSuccess, Omit<TaskSuccess, "result">, SuccessLimits {
  /** Null when the result may not be reused. */
  resultVersion: number | null;
  ttlSeconds: number;
  /** Waits only briefly for a lock, because others wait for their turn. */
  brief?: true;
}

/**
 * Throws QuotaExceededError and records nothing when there is no room for the outputs or the
 * result.
 */
export async function succeed(sql: Sql, success: Success): Promise<Step | null> {
  try {
    return await recordSuccess(sql, success);
  } catch (error) {
    if (sqlState(error) === OVER_QUOTA) throw quotaExceeded.storedBytes(success.maxStoredBytes);
    if (sqlState(error) === OVER_RECORDED)
      throw quotaExceeded.recordedBytes(success.maxRecordedBytes);
    throw error;
  }
}

/** Does `succeed` for several plain successes in one statement. */
export function succeedMany(
  sql: Sql,
  successes: PlainSuccess[],
  ttlSeconds: number,
): Promise<(Step | null)[]> {
  return transitionMany(sql, {
    step: "succeed",
    ids: successes.map(({ id }) => id),
    more: {
      arrays: sql`${successes.map(({ attempt }) => attempt)}::int[],
        ${successes.map(({ result }) => result)}::text[]`,
      columns: sql`item_attempt, item_result`,
    },
    where: sql`attempts = i.item_attempt`,
    set: sql`, result = i.item_result::jsonb, progress = 1, error_code = null,
      error_message = null ${finish(sql, ttlSeconds)}`,
    pending: -1,
    brief: true,
    grouped: successes.some(({ grouped }) => grouped),
    ttlSeconds,
  });
}

function recordSuccess(
  sql: Sql,
  {
    id,
    attempt,
    result,
    outputs,
    reusedFrom,
    resultVersion,
    ttlSeconds,
    maxStoredBytes,
    maxRecordedBytes,
    grouped,
    brief,
  }: Success,
): Promise<Step | null> {
  const visibleOutputs = outputs.map(({ storageKey: _, ...output }) => output);
  const record = sql`
    insert into queued_job_outputs (queued_job_id, position, name, mime_type, byte_size, width,
      height, storage_key)
    select t.id, o.position, o.name, o.mime, o.bytes, o.width, o.height, o.key
    from t, unnest(${outputs.map((o) => o.name)}::text[], ${outputs.map((o) => o.mimeType)}::text[],
      ${outputs.map((o) => o.byteSize)}::bigint[],
      ${outputs.map((o) => o.width)}::int[], ${outputs.map((o) => o.height)}::int[],
      ${outputs.map((o) => o.storageKey)}::text[])
      with ordinality as o(name, mime, bytes, width, height, key, position)`;
  return transition(sql, {
    step: "succeed",
    id,
    grouped,
    ttlSeconds,
    where: sql`${fence(sql, { id, attempt })} ${brief ? sql`and ${briefLocks(sql)}` : sql``}`,
    ...(brief && { brief }),
    set: sql`, result = ${result}::jsonb, progress = 1, error_code = null, error_message = null,
      reused_from = ${reusedFrom},
      reuse_key = ${resultVersion === null ? null : reuseKey(sql, resultVersion)}
      ${finish(sql, ttlSeconds)}`,
    pending: -1,
    ...(!isSmall(result) && { maxRecordedBytes }),
    ...(outputs.length > 0 && {
      outputs: {
        json: JSON.stringify(visibleOutputs),
        bytes: outputs.reduce((sum, o) => sum + o.byteSize, 0),
        maxStoredBytes,
        record,
      },
    }),
  });
}

export interface EarlierResult {
  /** The QueuedJob of that success. */
  id: string;
  result: unknown;
  /** The files of that success, which exist until the QueuedJob is deleted. */
  outputs: StoredOutput[];
}

/**
 * The version under which results of this task are found again; null when they are never reused.
 */
export function reusableVersion({
  maxPhotos,
  resultVersion = 1,
}: Pick<Task, "maxPhotos" | "resultVersion">): number | null {
  return maxPhotos > 0 ? resultVersion : null;
}

/**
 * Computes the SHA-256 (hex) of everything that the result of the row `queued_jobs` depends on;
 * null without a photo. Parameters include their defaults, and jsonb has one canonical text.
 */
function reuseKey(sql: Sql, version: number): Fragment {
  return sql`case when queued_jobs.photo_count > 0
    then encode(sha256(convert_to(jsonb_build_array(queued_jobs.job_name, ${version}::int,
    queued_jobs.parameters, (
    select jsonb_agg(l.photo_id order by l.position) from queued_job_photos l
      where l.queued_job_id = queued_jobs.id))::text, 'UTF8')), 'hex') end`;
}

/**
 * Finds the newest success of the same user, since it is kept longest. Null when none exists or
 * when this QueuedJob requests fresh work.
 */
export async function findEarlierResult(
  sql: Sql,
  { id, version }: { id: string; version: number },
): Promise<EarlierResult | null> {
  const [row] = await sql<EarlierResult[]>`
    select r.id, r.result, coalesce((
      select jsonb_agg(jsonb_build_object('name', o.name, 'mimeType', o.mime_type, 'byteSize',
        o.byte_size, 'width', o.width, 'height', o.height, 'storageKey', o.storage_key)
        order by o.position)
      from queued_job_outputs o where o.queued_job_id = r.id), '[]'::jsonb) as outputs
    from queued_jobs cross join lateral (
      select e.id, e.result from queued_jobs e where e.user_id = queued_jobs.user_id
        and e.reuse_key = ${reuseKey(sql, version)} order by e.id desc limit 1) r
    where queued_jobs.id = ${id} and not queued_jobs.fresh`;
  return row ?? null;
}
