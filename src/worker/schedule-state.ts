import type { createRedis } from "../runtime/redis.js";

/** What all workers know of a task that recurs; times in milliseconds since 1970. */
export interface TaskState {
  /** Where the next slice begins; null at the start of a pass. */
  from: string | null;
  passStartedAt: number | null;
  /** The last success, or when the task was first scheduled. */
  succeededAt: number | null;
}

export interface ScheduleState {
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
export function createScheduleState(redis: Redis, prefix: string): ScheduleState {
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
