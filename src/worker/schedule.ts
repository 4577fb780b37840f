import { Queue, Worker } from "bullmq";
import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { UPKEEP_QUEUE } from "../queue/hint-queue.js";
import { createRedis } from "../runtime/redis.js";
import { whileHolding, type Duties, type MaintenanceTask } from "../services/maintenance/duties.js";
import { closeBullWorker } from "./task-lane.js";

export interface ScheduledTask {
  run: MaintenanceTask;
  everyMs: number;
  /** Time between the starts of two passes, where one pass takes many slices. */
  passMs?: number;
  /** No two workers do it at once, however long it takes. */
  exclusive?: boolean;
  /** Without a success for so long it is late. */
  lateAfterMs: number;
}

export interface Schedule {
  /** When each task succeeded last, by any worker, or was first scheduled: seconds since 1970. */
  lastSuccesses(): Promise<{ task: string; at: number }[]>;
  close(): Promise<void>;
}

export interface ScheduleOptions {
  redisUrl: string;
  prefix: string;
  tasks: Readonly<Record<string, ScheduledTask>>;
  duties: Duties;
  /** Names this worker as the holder of a duty. */
  worker: string;
  log: Logger;
  onFailure?: (task: string) => void;
}

/** The schedule itself is in Redis, which may forget it. */
const RENEW_MS = 60_000;
/** A task that stays late is logged again after this. */
const LOG_LATE_MS = 3_600_000;
/** A store that is away for a moment is nothing that a person must know. */
const QUIET_MISSES = 1;

/**
 * What recurs, by one worker at a time: job schedulers of BullMQ, put in place again and again. A
 * long task holds up no other. Where a pass takes several slices, the position is kept in Redis;
 * when that forgets it, the pass begins again.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { tasks, log } = options;
  const closing = new AbortController();
  const redis = createRedis({ url: options.redisUrl, purpose: "schedule", failFast: false, log });
  const state = createScheduleState(redis, options.prefix);
  const runner = createTaskRunner(options, state, closing.signal);
  const connection = { connection: redis, prefix: options.prefix };
  const queue = new Queue(UPKEEP_QUEUE, connection);
  const worker = new Worker(UPKEEP_QUEUE, ({ name }) => runner.run(name), {
    ...connection,
    concurrency: Object.keys(tasks).length,
  });
  const onError = (error: Error) => log.debug({ err: error }, "the schedule has an error");
  queue.on("error", onError);
  worker.on("error", onError);

  const put = createPutter(options, state, queue);
  const tryPut = () =>
    void put().catch((error: unknown) =>
      log.debug({ err: error }, "the schedule was not put in place"),
    );
  redis.on("ready", tryPut);
  const timer = setInterval(tryPut, RENEW_MS);

  return {
    async lastSuccesses() {
      const found = await Promise.all(
        Object.keys(tasks).map(async (task) => ({
          task,
          at: (await state.read(task)).succeededAt,
        })),
      );
      return found.flatMap(({ task, at }) => (at === null ? [] : [{ task, at: at / 1000 }]));
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

/** Puts the schedule in place where it is not, and logs which task is late. */
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

/** Runs the tasks that are due, each once at a time. */
function createTaskRunner(options: ScheduleOptions, state: ScheduleState, closing: AbortSignal) {
  const { tasks, duties, worker: holder, log, onFailure = () => {} } = options;
  const running = new Set<string>();

  async function run(name: string): Promise<void> {
    const task = tasks[name];
    // One that takes longer than its interval is not begun beside itself.
    if (!task || running.has(name)) return;
    running.add(name);
    try {
      await (task.exclusive
        ? whileHolding({ duties, name: `maintenance ${name}`, holder, signal: closing }, (signal) =>
            runSlice(name, task, signal),
          )
        : runSlice(name, task, closing));
    } catch (error) {
      log.debug({ err: error, task: name }, "a maintenance task was not begun");
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
    log.error({ err: error, task: name, misses }, "a maintenance task failed; it is tried again");
  }

  return { run, isBusy: () => running.size > 0 };
}

/** A pass that is through waits until its time has come again. */
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

/** What all workers know of a task that recurs; times in milliseconds since 1970. */
interface TaskState {
  /** Where the next slice begins; null at the start of a pass. */
  from: string | null;
  passStartedAt: number | null;
  /** The last success, or when the task was first scheduled. */
  succeededAt: number | null;
}

interface ScheduleState {
  read(task: string): Promise<TaskState>;
  /** The task was not scheduled before, as far as Redis remembers. */
  begin(task: string): Promise<void>;
  noteSuccess(
    task: string,
    progress: Partial<Pick<TaskState, "from" | "passStartedAt">>,
  ): Promise<void>;
  /** Returns how many runs in a row have failed. */
  noteMiss(task: string): Promise<number>;
}

type Redis = ReturnType<typeof createRedis>;

/** A hash in Redis for each task. */
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
