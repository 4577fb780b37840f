import { DelayedError, type Job as BullJob, Worker } from "bullmq";
import type { Logger } from "../runtime/logger.js";
import { withTimeout } from "../runtime/deadline.js";
import { laneQueueName, type HintData, type Lane } from "../queue/hint-queue.js";
import type { createRedis } from "../runtime/redis.js";

interface TaskLaneOptions {
  name: Lane;
  redis: ReturnType<typeof createRedis>;
  prefix: string;
  /** Hints taken at once. */
  concurrency: number;
  /** Attempts that have left the lane early and are still under way. */
  maxBehind: number;
  /**
   * Null when the hint is spent, else the milliseconds after which it is to be taken again.
   * `onWorked`: others may be taken.
   */
  attend(hint: HintData, onWorked: () => void): Promise<number | null>;
  log: Logger;
}

/**
 * A hint that was taken and never attended, because its worker died or Redis's answer was lost, is
 * in nobody's hands until its lock has run out and a check has seen that: with these, 15 s at the
 * most. One that comes back too early claims nothing.
 */
const HINT_LOCK = { lockDuration: 10_000, stalledInterval: 5000 };
const PUT_BACK_MS = 2000;

/** Takes the hints of a lane, so many at once. */
export class TaskLane {
  readonly #options: TaskLaneOptions;
  readonly #worker: Worker<HintData>;
  readonly #running = new Set<Promise<void>>();
  #room: number;
  #takenAt = Date.now();
  #behind = 0;

  constructor(options: TaskLaneOptions) {
    const { name, redis, prefix, concurrency, log } = options;
    this.#options = options;
    this.#room = concurrency;
    // While Redis was away there was nothing to take.
    redis.on("ready", () => (this.#takenAt = Date.now()));
    this.#worker = new Worker<HintData>(
      laneQueueName(name),
      (bullJob, token = "") => this.#take(bullJob, token),
      {
        ...HINT_LOCK,
        connection: redis,
        prefix,
        concurrency,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
    );
    // "Missing key for job" comes here after Redis lost its data: the row has the result all the
    // same.
    this.#worker.on("error", (error) =>
      log.debug({ err: error, lane: name }, "the queue has an error"),
    );
  }

  /** How long it has taken nothing although it has room; 0 when it is full. */
  get restingMs(): number {
    return this.#room > 0 ? Date.now() - this.#takenAt : 0;
  }

  /** Takes no more until `resume`; what was taken goes on. */
  pause(): void {
    void this.#worker.pause(true);
  }

  resume(): void {
    this.#takenAt = Date.now();
    void this.#worker.resume();
  }

  /** Takes no more, and resolves when what was taken has ended. */
  async close(): Promise<void> {
    const closed = closeBullWorker(this.#worker, this.#options.redis, () => this.#running.size > 0);
    await Promise.all(this.#running);
    await closed;
  }

  /**
   * Resolves when there is room for another: when the attempt has ended, or needs its child no
   * more, or hardly.
   */
  #take(bullJob: BullJob<HintData>, token: string): Promise<void> {
    this.#change(-1);
    return new Promise((resolve, reject) => {
      let isBehind = false;
      const onWorked = () => {
        if (isBehind || this.#behind >= this.#options.maxBehind) return;
        isBehind = true;
        this.#behind++;
        this.#change(1);
        resolve();
      };
      const end = (settle: () => void) => {
        if (isBehind) this.#behind--;
        else this.#change(1);
        this.#running.delete(attended);
        settle();
      };
      const attended = this.#attend(bullJob, token, onWorked).then(
        () => end(resolve),
        (error: Error) => end(() => reject(error)),
      );
      this.#running.add(attended);
    });
  }

  #change(by: 1 | -1): void {
    this.#room += by;
    this.#takenAt = Date.now();
  }

  async #attend(bullJob: BullJob<HintData>, token: string, onWorked: () => void): Promise<void> {
    const delayMs = await this.#options.attend(bullJob.data, onWorked);
    if (delayMs === null) return;
    await this.#putBack(bullJob, token, delayMs);
    throw new DelayedError();
  }

  /** If it fails, the hint comes back when its lock has run out. */
  async #putBack(bullJob: BullJob<HintData>, token: string, delayMs: number): Promise<void> {
    const moved = bullJob.moveToDelayed(Date.now() + Math.ceil(delayMs), token);
    await withTimeout(moved, PUT_BACK_MS, () => {}).catch((error: unknown) => {
      this.#options.log.debug(
        { err: error, queuedJobId: bullJob.data.id },
        "a hint was not put back",
      );
    });
  }
}

const TIMEOUT_MS = 2000;

/**
 * Closes a worker of BullMQ when what it runs has ended. By itself it waits for ever for a Redis
 * that is away, and for a blocking call whose connection was lost; what it still has to tell then
 * is about hints, and can be lost.
 */
export async function closeBullWorker(
  worker: Worker,
  redis: { readonly status: string },
  isBusy: () => boolean,
): Promise<void> {
  const closed = worker.close().then(() => true);
  while ((await withTimeout(closed, TIMEOUT_MS, () => null)) === null) {
    if (redis.status === "ready" && isBusy()) continue;
    worker.disconnect().catch(() => {});
    return;
  }
}
