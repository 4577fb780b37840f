import { currentDeadline, withoutDeadline, type Deadline } from "./deadline.js";
import { ServiceUnavailableError } from "../domain/errors.js";
import { reportRefusal, type Refusal } from "./overload.js";

/**
 * Where several callers write the same kind of thing at once: what comes while a batch is under way
 * makes the next one.
 */
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
  /** Of its caller. */
  deadline: Deadline | undefined;
  since: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface Lane<Item, Result> {
  waiting: Waiting<Item, Result>[];
  busy: boolean;
  /** Refuses what waits for too long. */
  timer: NodeJS.Timeout | null;
}

/** Batches of a lane that wait, if they are full. */
const MAX_BATCHES_WAITING = 5;
const MAX_WAIT_MS = 2000;

/**
 * Returns a function that sends an item together with what else waits, and resolves with its own
 * result. No timer: an item that comes alone goes at once. A batch that fails is sent again item by
 * item, so that a bad one harms only itself; but not when the service is away, since the batch may
 * have arrived. Where too many wait, or for too long, it refuses with ServiceUnavailableError, and
 * an item whose caller's deadline has passed is not sent.
 */
export function createMicroBatch<Item, Result>(
  options: MicroBatchOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const lanes = Array.from({ length: options.lanes }, (): Lane<Item, Result> => ({
    waiting: [],
    busy: false,
    timer: null,
  }));

  async function run(lane: Lane<Item, Result>): Promise<void> {
    for (let batch = takeBatch(lane, options); batch.length > 0; batch = takeBatch(lane, options))
      await sendBatch(options, batch);
    lane.busy = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      const lane = lanes[hash(options.laneOf(item)) % lanes.length];
      if (!lane) throw new Error("There is no lane");
      if (lane.waiting.length >= MAX_BATCHES_WAITING * options.maxItems)
        return reject(overload("full"));
      lane.waiting.push({
        item,
        deadline: currentDeadline(),
        since: performance.now(),
        resolve,
        reject,
      });
      if (lane.busy) return watch(lane);
      // With what else is submitted in this step; not after a turn of the event loop, which costs a
      // lone item more than it saves.
      lane.busy = true;
      withoutDeadline(() => queueMicrotask(() => void run(lane)));
    });
}

/** The first that wait, until the batch is full; what it must leave to the next stays in front. */
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
    const own = [keyOf(waiting.item)].flat();
    (own.some((key) => keys.has(key)) ? left : batch).push(waiting);
    for (const key of own) keys.add(key);
  }
  lane.waiting.splice(0, looked, ...left);
  return batch;
}

/** Nobody would learn of its result. */
function isGivenUp<Item, Result>({ deadline, reject }: Waiting<Item, Result>): boolean {
  if (!deadline?.passed) return false;
  reject(new ServiceUnavailableError("The deadline of the operation has passed."));
  return true;
}

/** Refuses what has waited for too long. */
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
    "Too many requests wait to be written; try again in a moment.",
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
      if (error instanceof ServiceUnavailableError)
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
