import { Queue, Worker } from "bullmq";
import { ServiceUnavailableError } from "../errors.js";
import type { Logger } from "../logger.js";
import { UPKEEP_QUEUE } from "../queue/upkeep-queue.js";
import { createRedis } from "../redis.js";
import type { CleanUp } from "../services/clean-up.js";
import type { PreviewMaker } from "../services/preview-maker.js";
import { closeBullWorker } from "./close-bull-worker.js";

export interface Schedule {
  close(): Promise<void>;
}

/** What recurs, and how often. */
const EVERY_MS = {
  purge: 15_000,
  sweepFiles: 3_600_000,
  makePreviews: 10_000,
  recount: 24 * 3_600_000,
  countLostFiles: 24 * 3_600_000,
} as const;

export type ChoreName = keyof typeof EVERY_MS;
export type Chores = Pick<CleanUp & PreviewMaker, ChoreName>;

/** The schedule itself is in Redis, which may forget it. */
const RENEW_MS = 60_000;

/** What recurs, by one worker at a time: job schedulers of BullMQ, put in place again and again. A long one holds up no other. */
export function createSchedule(options: { redisUrl: string; prefix: string; chores: Chores; log: Logger }): Schedule {
  const { chores, log } = options;
  const running = new Set<string>();
  const redis = createRedis({ url: options.redisUrl, purpose: "schedule", failFast: false, log });
  const queue = new Queue(UPKEEP_QUEUE, { connection: redis, prefix: options.prefix });
  const worker = new Worker(UPKEEP_QUEUE, ({ name }) => run(name), { connection: redis, prefix: options.prefix, concurrency: Object.keys(EVERY_MS).length });
  const onError = (error: Error) => log.debug({ err: error }, "the schedule has an error");
  queue.on("error", onError);
  worker.on("error", onError);

  async function put(): Promise<void> {
    for (const [name, every] of Object.entries(EVERY_MS)) {
      await queue.upsertJobScheduler(name, { every }, { name, opts: { removeOnComplete: true, removeOnFail: true } });
    }
  }

  async function run(name: string): Promise<void> {
    // One that takes longer than its pause is not begun beside itself.
    if (!(name in EVERY_MS) || running.has(name)) return;
    running.add(name);
    try {
      await chores[name as ChoreName]();
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError)) log.error({ err: error, chore: name }, "a chore failed; it comes again");
    } finally {
      running.delete(name);
    }
  }

  const tryPut = () => void put().catch((error: unknown) => log.debug({ err: error }, "the schedule was not put in place"));
  redis.on("ready", tryPut);
  const timer = setInterval(tryPut, RENEW_MS);

  return {
    async close() {
      clearInterval(timer);
      await closeBullWorker(worker, redis, () => running.size > 0);
      await queue.close();
      redis.disconnect();
    },
  };
}
