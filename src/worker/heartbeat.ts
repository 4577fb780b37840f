import type {
  WorkerOrders,
  WorkerRegister,
  WorkerReport,
  WorkerState,
} from "../services/operators/worker-register.js";
import { withTimeout } from "../runtime/deadline.js";
import type { Logger } from "../runtime/logger.js";
import type { Leases } from "./leases.js";
import type { TaskWorker } from "./task-worker.js";

interface HeartbeatOptions {
  register: Pick<WorkerRegister, "beat">;
  /** The values that stay the same while the process runs. */
  about: Omit<WorkerReport, "state" | "rssBytes" | "running">;
  leases: Pick<Leases, "ids">;
  log: Logger;
  intervalMs?: number;
}

type Drained = Pick<TaskWorker, "isLeaving" | "drain">;

/** Less than the five seconds within which an order takes effect. */
const INTERVAL_MS = 4000;
const CLOSE_MS = 2000;

/** Reports this worker to operators at intervals, and carries out their orders. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #taskWorker: Drained | null = null;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | null = null;
  #orders: WorkerOrders = { drain: false, pausedJobs: [], pausedUsers: 0 };

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(taskWorker: Drained): void {
    this.#taskWorker = taskWorker;
    this.#timer = setInterval(() => this.#beat(), this.#options.intervalMs ?? INTERVAL_MS);
    this.#beat();
  }

  /** Names what operators have paused, as of the last heartbeat; null when nothing is paused. */
  describePauses(): string | null {
    const { pausedJobs, pausedUsers } = this.#orders;
    const paused = [
      ...pausedJobs.map((name) => `the Job ${name}`),
      ...(pausedUsers > 0 ? [pausedUsers === 1 ? "1 user" : `${pausedUsers} users`] : []),
    ];
    return paused.length === 0 ? null : `paused by an operator: ${paused.join(", ")}`;
  }

  /** Reports the end; call it after the last attempt has ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#taskWorker === null) return;
    const ended = (this.#beating ?? Promise.resolve()).then(() => this.#report("stopped"));
    await withTimeout(ended, CLOSE_MS, () => {});
  }

  #beat(): void {
    // A slow heartbeat must not be overtaken by the next one.
    this.#beating ??= this.#reportState().finally(() => (this.#beating = null));
  }

  /** Reports again at once when the answer contains an order that changes the state. */
  async #reportState(): Promise<void> {
    const isLeaving = () => this.#taskWorker?.isLeaving() ?? false;
    const toState = (leaves: boolean) => (leaves ? "draining" : "running");
    const before = isLeaving();
    await this.#report(toState(before));
    if (isLeaving() !== before) await this.#report(toState(isLeaving()));
  }

  async #report(state: WorkerState): Promise<void> {
    const { register, about, leases, log } = this.#options;
    const rssBytes = process.memoryUsage.rss();
    try {
      this.#orders = await register.beat({ ...about, state, rssBytes, running: leases.ids });
      if (state !== "stopped") this.#taskWorker?.drain(this.#orders.drain);
    } catch (error) {
      log.debug({ err: error }, "a heartbeat was not recorded; the next one follows");
    }
  }
}
