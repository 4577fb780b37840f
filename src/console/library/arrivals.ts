import { batch } from "@preact/signals";
import { matches, sortKey } from "../../../client/src/live/photo-filter.js";
import type { Head } from "../grid/layout.js";
import type { Photo, PhotoEvent } from "../types.js";
import { ADDED, type Chunk, UNDATED } from "./chunks.js";
import { dayOf, type Loaded } from "./shelf.js";
import { addChunks, type LibraryState } from "./state.js";

/** Shows what an event says, as far as the photos of its day have been read. */
export function applyPhotoEvent(state: LibraryState, { type, photo }: PhotoEvent): void {
  const { shelf, search, filter, order } = state;
  const key = order.peek() === "added" ? ADDED : dayOf(photo);
  const before = shelf.keyOf(photo.id);
  // Only the service knows which photos look alike.
  const mayMatch = search.peek().like === "" || before !== undefined;
  const isShown = type !== "DELETED" && mayMatch && matches(photo, filter.peek());
  batch(() => {
    if (isShown && before === key) return shelf.replace(photo);
    if (shelf.take(photo.id) && before !== undefined) count(state, before, -1);
    if (isShown && (type === "ADDED" || before !== undefined)) arrive(state, photo, key);
  });
}

function arrive(state: LibraryState, photo: Photo, key: string): void {
  const { shelf, chunks, order } = state;
  count(state, key, 1);
  if (!chunks.has(key)) {
    addChunks(state, [[key]]);
    Object.assign(chunks.get(key) as Chunk, { hasMore: false, isFresh: false });
  }
  const chunk = chunks.get(key) as Chunk;
  if (isInRange(chunk, photo, shelf.of(key).peek()))
    shelf.put([photo], { order: order.peek(), isFromEnd: chunk.isBackward });
}

/** True if the photo belongs between those that were read, and not to a later page. */
function isInRange(chunk: Chunk, photo: Photo, { photos }: Loaded): boolean {
  if (chunk.isFresh) return false;
  if (!chunk.hasMore) return true;
  const key = (one: Photo): string => sortKey(chunk.orderBy, one);
  const edge = chunk.isBackward ? photos[0] : photos.at(-1);
  if (!edge) return false;
  return chunk.isBackward ? key(photo) <= key(edge) : key(photo) >= key(edge);
}

/** Changes the number of photos of a day; days come and go with it. */
function count({ heads }: LibraryState, key: string, change: number): void {
  const all = heads.peek();
  if (all.some((head) => head.key === key))
    heads.value = all
      .map((head): Head => (head.key === key ? { key, count: head.count + change } : head))
      .filter((head) => head.count > 0);
  else if (change > 0)
    heads.value = [...all, { key, count: change }].sort((a, b) => compareKeys(a.key, b.key));
}

/** Newest day first; photos without a day come last. */
function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  if (a === UNDATED) return 1;
  if (b === UNDATED) return -1;
  return a < b ? 1 : -1;
}
