import { withoutDeadline } from "./deadline.js";
import { ServiceUnavailableError } from "./errors.js";

/** Where several callers write the same kind of thing at once: what comes while a batch is under way makes the next one. */
export interface MicroBatchOptions<Item, Result> {
  /** Batches under way at once; those whose items have the same `laneOf` follow each other. */
  lanes: number;
  /** The most items of a batch. */
  maxItems: number;
  laneOf(item: Item): string;
  /** What a batch may hold only once, one key or several; a second one waits for the next. */
  keyOf(item: Item): string | readonly string[];
  /** The plain way, which a batch of two or three does not beat. */
  sendOne(item: Item): Promise<Result>;
  /** All of them or none; the results are in the order of the items. */
  sendMany(items: Item[]): Promise<Result[]>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Returns a function that sends an item together with what else waits, and resolves with its own result. No timer: an item
 * that comes alone goes at once. A batch that fails is sent again item by item, so that a bad one harms only itself; but not
 * when the service is away, since the batch may have arrived.
 */
export function createMicroBatch<Item, Result>(options: MicroBatchOptions<Item, Result>): (item: Item) => Promise<Result> {
  const lanes = Array.from({ length: options.lanes }, () => ({ waiting: [] as Waiting<Item, Result>[], busy: false }));

  async function run(lane: (typeof lanes)[number]): Promise<void> {
    lane.busy = true;
    for (let batch = takeBatch(lane); batch.length > 0; batch = takeBatch(lane)) await sendBatch(options, batch);
    lane.busy = false;
  }

  function takeBatch(lane: (typeof lanes)[number]): Waiting<Item, Result>[] {
    const keys = new Set<string>();
    const [batch, rest]: [Waiting<Item, Result>[], Waiting<Item, Result>[]] = [[], []];
    for (const waiting of lane.waiting) {
      const own = [options.keyOf(waiting.item)].flat();
      if (batch.length < options.maxItems && !own.some((key) => keys.has(key))) batch.push(waiting);
      else rest.push(waiting);
      for (const key of own) keys.add(key);
    }
    lane.waiting = rest;
    return batch;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      const lane = lanes[hash(options.laneOf(item)) % lanes.length];
      if (!lane) throw new Error("There is no lane");
      lane.waiting.push({ item, resolve, reject });
      // With what else is submitted in this step; not after a turn of the event loop, which costs a lone item more than it saves.
      if (!lane.busy) {
        lane.busy = true;
        withoutDeadline(() => queueMicrotask(() => void run(lane)));
      }
    });
}

async function sendBatch<Item, Result>(options: MicroBatchOptions<Item, Result>, batch: Waiting<Item, Result>[]): Promise<void> {
  if (batch.length > 1) {
    try {
      const results = await options.sendMany(batch.map(({ item }) => item));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as Result);
      return;
    } catch (error) {
      if (error instanceof ServiceUnavailableError) return batch.forEach(({ reject }) => reject(error));
    }
  }
  for (const { item, resolve, reject } of batch) await options.sendOne(item).then(resolve, reject);
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
