import { Queue, Worker } from "bullmq";
import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { MAINTENANCE_QUEUE } from "../queue/hint-queue.js";
import { createRedis } from "../runtime/redis.js";
import { whileHolding, type Duties, type MaintenanceTask } from "../services/maintenance/duties.js";
import { closeBullWorker, pauseAfterRefusals } from "./task-lane.js";

export interface ScheduledTask {
  run: MaintenanceTask;
  everyMs: number;
  /** Minimum time between the starts of two passes, if one pass takes many slices. */
  passMs?: number;
  /** Prevents two workers from running it at once, however long it takes. */
  exclusive?: boolean;
  /** Time without a success after which the task counts as late. */
  lateAfterMs: number;
}

export interface Schedule {
  /**
   * Time of each task's last success on any worker, or of its first scheduling, in seconds since
   * 1970.
   */
  lastSuccesses(): Promise<{ task: string; at: number }[]>;
  close(): Promise<void>;
}

export interface ScheduleOptions {
  redisUrl: string;
  prefix: string;
  tasks: Readonly<Record<string, ScheduledTask>>;
  duties: Duties;
  /** The holder name of this worker. */
  worker: string;
  log: Logger;
  onFailure?: (task: string) => void;
}

/** Interval of writing the schedule, since it lies in Redis, which may lose it. */
const RENEW_MS = 60_000;
/** Interval between log lines about a task that stays late. */
const LOG_LATE_MS = 3_600_000;
/** Failures in a row that are not logged: a short outage of a store needs no operator. */
const QUIET_MISSES = 1;

/**
 * Runs recurring tasks, each on one worker at a time, with job schedulers of BullMQ. Their entries
 * are written again and again. A long task does not delay the others. If a pass takes several
 * slices, Redis keeps its position; when Redis loses it, the pass starts again.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { redisUrl: url, prefix, tasks, log } = options;
  const closing = new AbortController();
  const redis = createRedis({ url, prefix, purpose: "schedule", failFast: false, log });
  const state = createScheduleState(redis, prefix);
  const runner = createTaskRunner(options, state, closing.signal);
  const connection = { connection: redis, prefix };
  const queue = new Queue(MAINTENANCE_QUEUE, connection);
  const worker = new Worker(MAINTENANCE_QUEUE, ({ name }) => runner.run(name), {
    ...connection,
    concurrency: Object.keys(tasks).length,
  });
  const onError = (error: Error) => log.debug({ err: error }, "the schedule has an error");
  queue.on("error", onError);
  worker.on("error", onError);
  pauseAfterRefusals(worker);

  const put = createPutter(options, state, queue);
  const tryPut = () =>
    void put().catch((error: unknown) =>
      log.debug({ err: error }, "the schedule was not put in place"),
    );
  redis.on("ready", tryPut);
  const timer = setInterval(tryPut, RENEW_MS);

  return {
    async lastSuccesses() {
      const states = await Promise.all(
        Object.keys(tasks).map(async (task) => ({
          task,
          at: (await state.read(task)).succeededAt,
        })),
      );
      return states.flatMap(({ task, at }) => (at === null ? [] : [{ task, at: at / 1000 }]));
    },
    async close() {
      clearInterval(timer);
      closing.abort(new Error("The worker is closing"));
      await closeBullWorker(worker, redis, runner.isBusy);
      await queue.close();
      redis.disconnect();
    },
  };
}

/** Writes the schedule if it is missing, and logs late tasks. */
function createPutter(
  { tasks, log }: ScheduleOptions,
  state: ScheduleState,
  queue: Queue,
): () => Promise<void> {
  const loggedLate = new Map<string, number>();

  function logLate(task: string, succeededAt: number): void {
    if (Date.now() - (loggedLate.get(task) ?? 0) < LOG_LATE_MS) return;
    loggedLate.set(task, Date.now());
    log.error(
      { task, lastSuccess: new Date(succeededAt).toISOString() },
      "a maintenance task is late",
    );
  }

  return async () => {
    for (const [name, { everyMs, lateAfterMs }] of Object.entries(tasks)) {
      await queue.upsertJobScheduler(
        name,
        { every: everyMs },
        { name, opts: { removeOnComplete: true, removeOnFail: true } },
      );
      const { succeededAt } = await state.read(name);
      if (succeededAt === null) await state.begin(name);
      else if (Date.now() - succeededAt > lateAfterMs) logLate(name, succeededAt);
    }
  };
}

/** Runs due tasks, each at most once at a time. */
function createTaskRunner(options: ScheduleOptions, state: ScheduleState, closing: AbortSignal) {
  const { tasks, duties, worker: holder, log, onFailure = () => {} } = options;
  const running = new Set<string>();

  async function run(name: string): Promise<void> {
    const task = tasks[name];
    // A task that takes longer than its interval must not run twice at the same time.
    if (!task || running.has(name)) return;
    running.add(name);
    try {
      await (task.exclusive
        ? whileHolding({ duties, name: `maintenance ${name}`, holder, signal: closing }, (signal) =>
            runSlice(name, task, signal),
          )
        : runSlice(name, task, closing));
    } catch (error) {
      log.debug({ err: error, task: name }, "a maintenance task did not start");
    } finally {
      running.delete(name);
    }
  }

  async function runSlice(name: string, task: ScheduledTask, signal: AbortSignal): Promise<void> {
    try {
      const { from, passStartedAt } = await state.read(name);
      if (isBetweenPasses(task, { from, passStartedAt })) return await state.noteSuccess(name, {});
      signal.throwIfAborted();
      const startedAt = from === null ? Date.now() : passStartedAt;
      const next = await task.run({ from, signal });
      await state.noteSuccess(name, { from: next, passStartedAt: startedAt });
    } catch (error) {
      if (signal.aborted)
        log.debug({ err: error, task: name }, "a maintenance task was interrupted");
      else await noteFailure(name, error);
    }
  }

  async function noteFailure(name: string, error: unknown): Promise<void> {
    const misses = await state.noteMiss(name);
    if (error instanceof ServiceUnavailableError && misses <= QUIET_MISSES) return;
    onFailure(name);
    log.error(
      { err: error, task: name, misses },
      "a maintenance task failed; the next interval tries again",
    );
  }

  return { run, isBusy: () => running.size > 0 };
}

/** Returns true after the end of a pass until the next one is due. */
function isBetweenPasses(
  { passMs }: ScheduledTask,
  { from, passStartedAt }: Pick<TaskState, "from" | "passStartedAt">,
): boolean {
  return (
    passMs !== undefined &&
    from === null &&
    passStartedAt !== null &&
    Date.now() - passStartedAt < passMs
  );
}

/** The state of a recurring task, shared by all workers; times are in milliseconds since 1970. */
interface TaskState {
  /** Start of the next slice; null at the start of a pass. */
  from: string | null;
  passStartedAt: number | null;
  /** Time of the last success, or of the first scheduling. */
  succeededAt: number | null;
}

interface ScheduleState {
  read(task: string): Promise<TaskState>;
  /** Records the first scheduling of a task that Redis does not contain. */
  begin(task: string): Promise<void>;
  noteSuccess(
    task: string,
    progress: Partial<Pick<TaskState, "from" | "passStartedAt">>,
  ): Promise<void>;
  /** Returns the number of failed runs in a row. */
  noteMiss(task: string): Promise<number>;
}

type Redis = ReturnType<typeof createRedis>;

/** Keeps the state of each task in a hash in Redis. */
function createScheduleState(redis: Redis, prefix: string): ScheduleState {
  const keyOf = (task: string) => `${prefix}:maintenance:${task}`;

  return {
    async read(task) {
      const fields = await redis.hgetall(keyOf(task));
      const time = (name: string) => (fields[name] ? Number(fields[name]) : null);
      return {
        from: fields["from"] || null,
        passStartedAt: time("passStartedAt"),
        succeededAt: time("succeededAt"),
      };
    },
    async begin(task) {
      await redis.hsetnx(keyOf(task), "succeededAt", Date.now());
    },
    async noteSuccess(task, progress) {
      const fields = Object.entries(progress).map(([name, value]) => [name, value ?? ""] as const);
      await redis.hset(keyOf(task), {
        ...Object.fromEntries(fields),
        succeededAt: Date.now(),
        misses: 0,
      });
    },
    noteMiss: (task) => redis.hincrby(keyOf(task), "misses", 1),
  };
}
