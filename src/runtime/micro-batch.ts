import { channel } from "node:diagnostics_channel";
import { setImmediate as nextTurn } from "node:timers/promises";
import { currentDeadline, withoutDeadline, type Deadline } from "./deadline.js";
import { ServiceUnavailableError } from "../domain/errors.js";
import type { Slots } from "./concurrency.js";

/**
 * Combines concurrent writes or reads of the same kind: items that arrive while a batch runs form
 * the next batch.
 */
export interface MicroBatchOptions<Item, Result> {
  /** Maximum concurrent batches. Items with the same `laneOf` are written in order. */
  lanes: number;
  /** Maximum items per batch. */
  maxItems: number;
  /** Maximum items that may wait in a lane; by default, five full batches. */
  maxWaiting?: number;
  laneOf(item: Item): string;
  /**
   * Slots that several micro-batches share, because their statements would wait for each other's
   * locks. A batch takes what has arrived when its turn comes.
   */
  turns?: Slots | undefined;
  /**
   * Keys that a batch may hold only once; a second item with the same key goes into the next batch.
   */
  keyOf(item: Item): string | readonly string[];
  /** Writes one item. */
  sendOne(item: Item): Promise<Result>;
  /** Writes all items or none. The results are in the order of the items. */
  sendMany(items: Item[]): Promise<Result[]>;
  /** True for the error of a statement that was undone because it took too long. */
  tookTooLong?(error: unknown): boolean;
}

interface Waiting<Item, Result> {
  item: Item;
  /** Deadline of the caller's operation. */
  deadline: Deadline | undefined;
  since: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface Lane<Item, Result> {
  waiting: Waiting<Item, Result>[];
  busy: boolean;
  /** End of the last batch of several items, by `performance.now()`. */
  sharedAt: number;
  /** Timer that refuses items after MAX_WAIT_MS. */
  timer: NodeJS.Timeout | null;
}

/** Default maximum of full batches that may wait in a lane. */
const MAX_BATCHES_WAITING = 5;
const MAX_WAIT_MS = 2000;
/** Time after a batch of several items in which the next item is probably not alone. */
const LOADED_MS = 50;

/**
 * Returns a function that sends an item in a batch and resolves with that item's result. There is
 * no timer: a lone item is sent at once. Soon after a batch of several items, the next batch waits
 * for the end of the turn of the event loop, in which more of them arrive.
 *
 * A failed batch is sent again item by item, so that a bad item fails alone, or because the batch
 * took too long. If the service is unavailable it is not sent again, because the batch may have
 * arrived.
 *
 * Items are refused with ServiceUnavailableError when too many wait, or when they wait too long. An
 * item whose caller's deadline has passed is not sent.
 */
export function createMicroBatch<Item, Result>(
  options: MicroBatchOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { maxWaiting = MAX_BATCHES_WAITING * options.maxItems } = options;
  const lanes = Array.from({ length: options.lanes }, (): Lane<Item, Result> => ({
    waiting: [],
    busy: false,
    sharedAt: -Infinity,
    timer: null,
  }));

  async function run(lane: Lane<Item, Result>): Promise<void> {
    while (lane.waiting.length > 0) {
      if (performance.now() - lane.sharedAt < LOADED_MS) await nextTurn();
      if (options.turns) {
        watch(lane);
        await options.turns.take();
      }
      const batch = takeBatch(lane, options);
      await sendBatch(options, batch);
      options.turns?.free();
      if (batch.length > 1) lane.sharedAt = performance.now();
    }
    lane.busy = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      const lane = lanes[hash(options.laneOf(item)) % lanes.length];
      if (!lane) throw new Error("There is no lane");
      if (lane.waiting.length >= maxWaiting) return reject(overload("full"));
      lane.waiting.push({
        item,
        deadline: currentDeadline(),
        since: performance.now(),
        resolve,
        reject,
      });
      if (lane.busy) return watch(lane);
      // The batch takes what is submitted in this step. Waiting for a turn of the event loop costs
      // a lone item more than it saves.
      lane.busy = true;
      withoutDeadline(() => queueMicrotask(() => void run(lane)));
    });
}

/**
 * Takes items in order until the batch is full. An item whose key is already taken stays at the
 * front of the lane.
 */
function takeBatch<Item, Result>(
  lane: Lane<Item, Result>,
  { maxItems, keyOf }: MicroBatchOptions<Item, Result>,
): Waiting<Item, Result>[] {
  const keys = new Set<string>();
  const [batch, left]: [Waiting<Item, Result>[], Waiting<Item, Result>[]] = [[], []];
  let looked = 0;
  for (; looked < lane.waiting.length && batch.length < maxItems; looked++) {
    const waiting = lane.waiting[looked];
    if (!waiting || isGivenUp(waiting)) continue;
    const itemKeys = [keyOf(waiting.item)].flat();
    (itemKeys.some((key) => keys.has(key)) ? left : batch).push(waiting);
    for (const key of itemKeys) keys.add(key);
  }
  lane.waiting.splice(0, looked, ...left);
  return batch;
}

/** True if the caller no longer waits; the item is then rejected. */
function isGivenUp<Item, Result>({ deadline, reject }: Waiting<Item, Result>): boolean {
  if (!deadline?.passed) return false;
  reject(new ServiceUnavailableError("The deadline of the operation has passed."));
  return true;
}

/** Refuses items that have waited for MAX_WAIT_MS. */
function watch<Item, Result>(lane: Lane<Item, Result>): void {
  const [first] = lane.waiting;
  if (lane.timer || !first) return;
  const refuseFirst = (): void => {
    lane.timer = null;
    const now = performance.now();
    while (lane.waiting[0] && now - lane.waiting[0].since >= MAX_WAIT_MS) {
      lane.waiting.shift()?.reject(overload("waited"));
    }
    watch(lane);
  };
  lane.timer = setTimeout(refuseFirst, MAX_WAIT_MS - (performance.now() - first.since)).unref();
}

function overload(why: Refusal["why"]): ServiceUnavailableError {
  reportRefusal({ what: "batch", why });
  return new ServiceUnavailableError(
    "Too many requests are waiting for the database; try again in a moment.",
  );
}

async function sendBatch<Item, Result>(
  options: MicroBatchOptions<Item, Result>,
  batch: Waiting<Item, Result>[],
): Promise<void> {
  if (batch.length > 1) {
    try {
      const results = await options.sendMany(batch.map(({ item }) => item));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as Result);
      return;
    } catch (error) {
      if (error instanceof ServiceUnavailableError && !options.tookTooLong?.(error))
        return batch.forEach(({ reject }) => reject(error));
    }
  }
  for (const waiting of batch)
    if (!isGivenUp(waiting))
      await options.sendOne(waiting.item).then(waiting.resolve, waiting.reject);
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/**
 * `full`: too many were waiting already, or the server accepts no more connections. `waited`: it
 * had waited too long.
 */
export interface Refusal {
  what: "statement" | "batch" | "connection";
  why: "full" | "waited";
}

const refusals = channel("photo-service:refusals");

export function reportRefusal(refusal: Refusal): void {
  refusals.publish(refusal);
}

/** Calls `listener` for each refusal in this process. */
export function onRefusal(listener: (refusal: Refusal) => void): void {
  refusals.subscribe((message) => listener(message as Refusal));
}
