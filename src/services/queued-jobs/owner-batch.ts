// Batches with items of several owners, in which no owner waits for another owner's locks.
// Statements wait briefly for a lock. When a batch fails because of a lock, the items of each owner
// are sent separately. An owner whose rows were locked stays separate for a while.
import { setTimeout as pause } from "node:timers/promises";
import { isLockTimeout, tookTooLong } from "../../db/database.js";
import { createMicroBatch, type MicroBatchOptions } from "../../runtime/micro-batch.js";
import { createSlots, type Slots } from "../../runtime/concurrency.js";

export interface OwnerBatchOptions<Item, Result> extends MicroBatchOptions<Item, Result> {
  ownerOf(item: Item): string;
  /** Time for which the items of an owner with locked rows are sent again. */
  timeoutMs: number;
}

/** Time for which an owner stays separate after a lock. */
const APART_MS = 5000;
const PAUSE_MS = 100;
/** Maximum concurrent statements of separate owners: each may hold a connection while it waits. */
const CONCURRENCY = 3;

/**
 * Creates a micro-batch that rejects an item with a lock timeout only if rows of its owner are
 * locked.
 */
export function createOwnerBatch<Item, Result>(
  given: OwnerBatchOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const options = { ...given, tookTooLong };
  const together = createMicroBatch(options);
  const apart = new Map<string, ApartOwner<Item, Result>>();
  const slots = createSlots(CONCURRENCY);

  function sendApart(name: string, item: Item): Promise<Result> {
    const owner = apart.get(name) ?? new ApartOwner(options, slots, () => apart.delete(name));
    apart.set(name, owner);
    return owner.send(item);
  }

  return async (item) => {
    const name = options.ownerOf(item);
    if (apart.has(name)) return sendApart(name, item);
    try {
      return await together(item);
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      return sendApart(name, item);
    }
  };
}

/** An owner whose items are sent separately for now. */
class ApartOwner<Item, Result> {
  readonly #timeoutMs: number;
  readonly #slots: Slots;
  readonly #onFree: () => void;
  readonly #batch: (item: Item) => Promise<Result>;
  #pending = 0;
  #lockedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OwnerBatchOptions<Item, Result>, slots: Slots, onFree: () => void) {
    this.#timeoutMs = options.timeoutMs;
    this.#slots = slots;
    this.#onFree = onFree;
    this.#batch = createMicroBatch({
      ...options,
      lanes: 1,
      // Others would wait for as long as its rows are locked.
      turns: undefined,
      sendOne: (item) => this.#sendUntilTimeout(() => options.sendOne(item)),
      sendMany: (items) => this.#sendUntilTimeout(() => options.sendMany(items)),
    });
  }

  async send(item: Item): Promise<Result> {
    this.#pending++;
    try {
      return await this.#batch(item);
    } finally {
      if (--this.#pending === 0) this.#leave();
    }
  }

  async #sendUntilTimeout<T>(send: () => Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + this.#timeoutMs;
    for (;;) {
      await this.#slots.take();
      try {
        return await send();
      } catch (error) {
        if (!isLockTimeout(error)) throw error;
        this.#lockedAt = performance.now();
        if (this.#lockedAt >= giveUpAt) throw error;
      } finally {
        this.#slots.free();
      }
      await pause(PAUSE_MS);
    }
  }

  #leave(): void {
    clearTimeout(this.#timer);
    if (this.#pending > 0) return;
    const apartMs = this.#lockedAt + APART_MS - performance.now();
    if (apartMs <= 0) this.#onFree();
    else this.#timer = setTimeout(() => this.#leave(), apartMs).unref();
  }
}
