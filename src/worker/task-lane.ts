import { DelayedError, type Job as BullJob, Worker } from "bullmq";
import type { Logger } from "../runtime/logger.js";
import { withTimeout } from "../runtime/deadline.js";
import { laneQueueName, type HintData, type Lane } from "../queue/hint-queue.js";
import type { createRedis } from "../runtime/redis.js";

interface TaskLaneOptions {
  name: Lane;
  redis: ReturnType<typeof createRedis>;
  prefix: string;
  /** Maximum hints taken at once. */
  concurrency: number;
  /** Maximum attempts that have left the lane early and are still under way. */
  maxBehind: number;
  /**
   * Returns null when the hint is spent, else the milliseconds after which it is due again.
   * `onWorked` makes room for another hint.
   */
  attend(hint: HintData, onWorked: () => void): Promise<number | null>;
  log: Logger;
}

/**
 * A hint may be taken but never attended, if its worker died or the answer of Redis was lost. It
 * returns when its lock has expired and a check has noticed that. With these values, this takes at
 * most 15 s. A hint that returns too early claims nothing.
 */
const HINT_LOCK = { lockDuration: 10_000, stalledInterval: 5000 };
const PUT_BACK_MS = 2000;

/**
 * Takes the hints of one lane, several at once. A hint that arises in this process, such as that of
 * a successor whose last predecessor has finished here, is attended in a free slot without a way
 * through Redis: with 20 chains at once, this makes 840 jobs/s of 540.
 */
export class TaskLane {
  readonly #options: TaskLaneOptions;
  readonly #worker: Worker<HintData>;
  readonly #running = new Set<Promise<void>>();
  #room: number;
  #takenAt = Date.now();
  #behind = 0;
  /** Slots with hints that did not come from the queue. */
  #own = 0;

  constructor(options: TaskLaneOptions) {
    const { name, redis, prefix, concurrency, log } = options;
    this.#options = options;
    this.#room = concurrency;
    // While Redis was unavailable, no hint could be taken.
    redis.on("ready", () => (this.#takenAt = Date.now()));
    this.#worker = new Worker<HintData>(
      laneQueueName(name),
      (bullJob, token = "") => this.#occupy((onWorked) => this.#attend(bullJob, token, onWorked)),
      {
        ...HINT_LOCK,
        connection: redis,
        prefix,
        concurrency,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
    );
    // Redis reports "Missing key for job" after it lost its data; the row has the result in any
    // case.
    this.#worker.on("error", (error) =>
      log.debug({ err: error, lane: name }, "the queue has an error"),
    );
    pauseAfterRefusals(this.#worker);
  }

  /** Time without a hint although there is room; 0 when the lane is full. */
  get restingMs(): number {
    return this.#room > 0 ? Date.now() - this.#takenAt : 0;
  }

  /** Takes no hints until `resume`; running attempts continue. */
  pause(): void {
    void this.#worker.pause(true);
  }

  resume(): void {
    this.#takenAt = Date.now();
    void this.#worker.resume();
  }

  /**
   * Attends a hint of this process that is not in the queue, if a slot is free: then no hint in the
   * queue waits for it. One slot is always left to the queue. `putBack` adds the hint to the queue
   * if it turns out not to be due.
   */
  take(hint: HintData, putBack: (delayMs: number) => Promise<void>): boolean {
    const hasRoom = this.#room > 0 && this.#own + 1 < this.#options.concurrency;
    if (!hasRoom || this.#worker.isPaused()) return false;
    this.#changeOwn(1);
    const leave = () => this.#changeOwn(-1);
    void this.#occupy(async (onWorked) => {
      const delayMs = await this.#options.attend(hint, onWorked);
      if (delayMs !== null) await putBack(delayMs);
    }).then(leave, leave);
    return true;
  }

  /** Takes no more hints, and resolves when the running attempts have ended. */
  async close(): Promise<void> {
    const closed = closeBullWorker(this.#worker, this.#options.redis, () => this.#running.size > 0);
    await Promise.all(this.#running);
    await closed;
  }

  /**
   * Resolves when there is room for another hint. This is at the end of the attempt, or when its
   * child is free or nearly free.
   */
  #occupy(attend: (onWorked: () => void) => Promise<void>): Promise<void> {
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
      const attended = attend(onWorked).then(
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

  #changeOwn(by: 1 | -1): void {
    this.#own += by;
    this.#worker.concurrency = this.#options.concurrency - this.#own;
  }

  async #attend(bullJob: BullJob<HintData>, token: string, onWorked: () => void): Promise<void> {
    const delayMs = await this.#options.attend(bullJob.data, onWorked);
    if (delayMs === null) return;
    await this.#putBack(bullJob, token, delayMs);
    throw new DelayedError();
  }

  /** If this fails, the hint returns when its lock has expired. */
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

const REFUSED_MS = 1000;

/**
 * Lets a BullMQ worker wait after Redis has refused a command, for example because it is full.
 * Beware: the worker would repeat the command without a pause.
 */
export function pauseAfterRefusals(worker: Worker): void {
  worker.on("error", ({ name }) => {
    if (name !== "ReplyError" || worker.isPaused()) return;
    void worker.pause(true);
    setTimeout(() => void worker.resume(), REFUSED_MS).unref();
  });
}

const TIMEOUT_MS = 2000;

/**
 * Closes a BullMQ worker after its work has ended. Without this, it would wait without limit for an
 * unavailable Redis, or for a blocking call on a lost connection. Its last writes concern only
 * hints and may be lost.
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
