// The days that are read together: neighbours up to a page of photos, or a long day alone.
import type { PhotoFilter, PhotoOrder } from "../../../client/src/index.js";
import { withinDays } from "../address/photo-filter.js";
import type { Head } from "../grid/layout.js";

export const PAGE_SIZE = 100;
export const UNDATED = "undated";
export const ADDED = "added";

/** A part of the library that is read page by page. */
export interface Chunk {
  keys: string[];
  filter: PhotoFilter;
  orderBy: PhotoOrder;
  /** True for what is read from its end, because no cursor leads to its beginning. */
  isBackward: boolean;
  cursor: string | null;
  hasMore: boolean;
  reading: Promise<void> | null;
  /** True until its first page is there; what was known of its days is then replaced. */
  isFresh: boolean;
}

export function chunkOf(keys: string[], filter: PhotoFilter, isAllUndated: boolean): Chunk {
  const [newest = "", oldest = newest] = [keys[0], keys.at(-1)];
  const isDay = newest !== UNDATED && newest !== ADDED;
  return {
    keys,
    filter: isDay ? withinDays(filter, newest, oldest) : filter,
    orderBy: newest === ADDED ? "UPLOADED" : "TAKEN",
    isBackward: newest === UNDATED && !isAllUndated,
    cursor: null,
    hasMore: true,
    reading: null,
    isFresh: true,
  };
}

/** The keys of each chunk. The heads are in the order of the list. */
export function planChunks(heads: readonly Head[]): string[][] {
  const plan: string[][] = [];
  let size = Infinity;
  for (const { key, count } of heads) {
    const isAlone = key === UNDATED || key === ADDED;
    size += count;
    if (isAlone || size > PAGE_SIZE) {
      plan.push([key]);
      size = isAlone ? Infinity : count;
    } else plan.at(-1)?.push(key);
  }
  return plan;
}
