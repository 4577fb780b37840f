import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { PhotoFilter, Query } from "../../../client/src/index.js";
import type { PhotoSearch } from "../address/address.js";
import { toPhotoFilter } from "../address/photo-filter.js";
import type { Head } from "../grid/layout.js";
import type { Place } from "../grid/steps.js";
import type { Photo } from "../types.js";
import { type Chunk, chunkOf, UNDATED } from "./chunks.js";
import { photoAt, Shelf } from "./shelf.js";

/** The parts of a library that its counting, its reading and its events share. */
export interface LibraryState {
  readonly ask: Query;
  readonly search: ReadonlySignal<PhotoSearch>;
  readonly filter: ReadonlySignal<PhotoFilter>;
  readonly order: ReadonlySignal<PhotoSearch["order"]>;
  readonly heads: Signal<readonly Head[]>;
  readonly isCounted: Signal<boolean>;
  readonly fault: Signal<string | null>;
  readonly cameras: Signal<readonly string[]>;
  readonly shelf: Shelf;
  /** The chunk of each day. */
  readonly chunks: Map<string, Chunk>;
  /** Grows with each search: answers to an earlier one are dropped. */
  generation: number;
}

export function createLibraryState(ask: Query, search: ReadonlySignal<PhotoSearch>): LibraryState {
  return {
    ask,
    search,
    filter: computed(() => toPhotoFilter(search.value)),
    order: computed(() => search.value.order),
    heads: signal<readonly Head[]>([]),
    isCounted: signal(false),
    fault: signal<string | null>(null),
    cameras: signal<readonly string[]>([]),
    shelf: new Shelf(),
    chunks: new Map(),
    generation: 0,
  };
}

/** Adds a chunk for each group of days. */
export function addChunks(state: LibraryState, groups: readonly (readonly string[])[]): void {
  const isAllUndated = state.heads.peek().every(({ key }) => key === UNDATED);
  for (const keys of groups) {
    const chunk = chunkOf([...keys], state.filter.peek(), isAllUndated);
    for (const key of keys) state.chunks.set(key, chunk);
  }
}

export function photoAtPlace(
  { heads, shelf }: LibraryState,
  { index, position }: Place,
): Photo | undefined {
  const head = heads.peek()[index];
  return head && photoAt(shelf.of(head.key).peek(), head.count, position);
}

export function placeOfPhoto({ heads, shelf }: LibraryState, id: string): Place | null {
  const key = shelf.keyOf(id);
  const index = heads.peek().findIndex((head) => head.key === key);
  const head = heads.peek()[index];
  if (!head) return null;
  const { photos, isFromEnd } = shelf.of(head.key).peek();
  const position = photos.findIndex((photo) => photo.id === id);
  return { index, position: position + (isFromEnd ? head.count - photos.length : 0) };
}
