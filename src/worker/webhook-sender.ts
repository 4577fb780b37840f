import { setMaxListeners } from "node:events";
import type { Logger } from "../runtime/logger.js";
import { withTimeout } from "../runtime/deadline.js";
import type { Duties } from "../services/maintenance/duties.js";
import type {
  DeliveryOptions,
  WebhookDeliveries,
} from "../services/webhooks/webhook-deliveries.js";
import type { Held, WebhookPositions } from "../services/webhooks/webhook-positions.js";
import type { WebhookSearch } from "../services/webhooks/webhook-search.js";

export interface WebhookSenderOptions {
  positions: Pick<WebhookPositions, "take">;
  deliveries: WebhookDeliveries;
  search: WebhookSearch;
  /** Reads the identity of the database's history, which cursors contain. */
  readEpoch(): Promise<string>;
  duties: Duties;
  worker: string;
  log: Logger;
  intervalMs?: number;
}

const INTERVAL_MS = 1000;
/** Time for which the search stays with a worker that died. */
const HELD_SECONDS = 5;
/** Users whom one worker serves at once; a receiver that hangs occupies no more. */
const CONCURRENCY = 32;
/** Time for requests under way when the worker closes. */
const CLOSE_MS = 3000;
/** Failed rounds in a row before this is logged. */
const FAILURES_LOGGED = 3;

/**
 * Delivers webhooks beside the tasks. Every worker does so, each user by one at a time; one of them
 * searches for users with undelivered events.
 */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #running = new Set<Promise<void>>();
  #searching: Promise<void> | null = null;
  #filling: Promise<void> | null = null;
  /** True if a slot became free while others were filled. */
  #isHungry = false;
  #isSearcher = false;
  #isStopping = false;
  #leases = 0;
  #failures = 0;

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
    // Each request under way listens.
    setMaxListeners(CONCURRENCY + 1, this.#closing.signal);
    this.#timer = setInterval(() => this.#search(), options.intervalMs ?? INTERVAL_MS);
    this.#search();
  }

  /** Lets requests under way end; what is not answered in time is sent again by another worker. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isStopping = true;
    await withTimeout(this.#settle(), CLOSE_MS, () => {});
    this.#closing.abort(new Error("The worker is closing"));
    await this.#settle();
  }

  async #settle(): Promise<void> {
    await Promise.all([this.#searching, this.#filling]);
    await Promise.all(this.#running);
  }

  #search(): void {
    this.#searching ??= this.#findDue()
      .then(() => void (this.#failures = 0))
      .catch((error: unknown) => this.#noteFailure(error))
      .then(() => {
        this.#searching = null;
        this.#fill();
      });
  }

  /** Marks users with undelivered events, if this worker holds the duty. */
  async #findDue(): Promise<void> {
    const { duties, search, worker } = this.#options;
    const isSearcher = await duties.hold("webhooks", worker, HELD_SECONDS);
    if (isSearcher && !this.#isSearcher) await search.begin();
    this.#isSearcher = isSearcher;
    if (isSearcher) await search.run(this.#closing.signal);
  }

  #fill(): void {
    if (this.#isStopping) return;
    this.#isHungry = this.#filling !== null;
    this.#filling ??= this.#takeDue()
      .catch((error: unknown) => this.#noteFailure(error))
      .then(() => {
        this.#filling = null;
        if (this.#isHungry) this.#fill();
      });
  }

  /** Takes due users until none is left or all slots are busy. */
  async #takeDue(): Promise<void> {
    const { positions, worker, readEpoch } = this.#options;
    for (let isMore = true; isMore && !this.#isStopping;) {
      const free = CONCURRENCY - this.#running.size;
      if (free === 0) return;
      const takenAt = performance.now();
      const taken = await positions.take(`${worker}/${++this.#leases}`, free);
      if (taken.length === 0) return;
      const epoch = await readEpoch();
      for (const held of taken) this.#deliver(held, { epoch, takenAt });
      isMore = taken.length === free;
    }
  }

  #deliver(held: Held, { epoch, takenAt }: Pick<DeliveryOptions, "epoch" | "takenAt">): void {
    const { signal } = this.#closing;
    const isStopping = () => this.#isStopping;
    const running: Promise<void> = this.#options.deliveries
      .deliver(held, { epoch, takenAt, signal, isStopping })
      .then(() => {
        this.#running.delete(running);
        this.#fill();
      });
    this.#running.add(running);
  }

  #noteFailure(error: unknown): void {
    const { log } = this.#options;
    if (++this.#failures === FAILURES_LOGGED)
      log.error(
        { err: error },
        "webhooks cannot be read from the database; the worker keeps trying",
      );
  }
}
