import { batch, computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Query } from "../../../client/src/index.js";
import { DELETE_PHOTO, MORE_PHOTOS } from "../operations.js";
import type { Photo } from "../types.js";

export interface PhotoPage {
  nodes: Photo[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
}

export interface PhotoLibrary {
  /** Newest first; only the pages read so far. */
  readonly photos: ReadonlySignal<readonly Photo[]>;
  /** Ids in the order in which they were selected. */
  readonly chosen: ReadonlySignal<readonly string[]>;
  readonly hasMore: ReadonlySignal<boolean>;
  /** Puts the photo in front, and selects it. */
  add(photo: Photo): void;
  toggle(id: string): void;
  chooseAll(): void;
  chooseNone(): void;
  readMore(): Promise<void>;
  /** Throws PhotoServiceError, e.g. CONFLICT while unfinished QueuedJobs use a photo. */
  deleteChosen(): Promise<void>;
}

export function createPhotoLibrary(ask: Query, first: PhotoPage): PhotoLibrary {
  const photos = signal<readonly Photo[]>(first.nodes);
  const chosen = signal<readonly string[]>([]);
  const page = signal(first.pageInfo);

  function without(id: string): void {
    batch(() => {
      photos.value = photos.value.filter((photo) => photo.id !== id);
      chosen.value = chosen.value.filter((other) => other !== id);
    });
  }

  return {
    photos,
    chosen,
    hasMore: computed(() => page.value.hasNextPage),
    add(photo) {
      batch(() => {
        photos.value = [photo, ...photos.value.filter(({ id }) => id !== photo.id)];
        if (!chosen.value.includes(photo.id)) chosen.value = [...chosen.value, photo.id];
      });
    },
    toggle(id) {
      chosen.value = chosen.value.includes(id)
        ? chosen.value.filter((other) => other !== id)
        : [...chosen.value, id];
    },
    chooseAll() {
      chosen.value = photos.value.map(({ id }) => id);
    },
    chooseNone() {
      chosen.value = [];
    },
    async readMore() {
      const { photos: next } = await ask<{ photos: PhotoPage }>(MORE_PHOTOS, {
        after: page.value.endCursor,
      });
      batch(() => {
        page.value = next.pageInfo;
        photos.value = [
          ...photos.value,
          ...next.nodes.filter(({ id }) => !photos.value.some((photo) => photo.id === id)),
        ];
      });
    },
    async deleteChosen() {
      for (const id of chosen.value) {
        await ask(DELETE_PHOTO, { id });
        without(id);
      }
    },
  };
}

export interface LatePreviews {
  /** Preview URL of a photo whose upload did not wait for its preview; null until it exists. */
  urlOf(id: string): ReadonlySignal<string | null>;
  close(): void;
}

/** Workers make late previews every ten seconds. Some photos never get one. */
const FIRST_MS = 2000;
const ROUNDS = 8;
const REQUEST_BATCH_SIZE = 20;

/** Asks for all missing previews together, with growing pauses. */
export function createLatePreviews(
  find: (ids: readonly string[]) => Promise<Photo[]>,
): LatePreviews {
  const urls = new Map<string, Signal<string | null>>();
  /** Remaining rounds per photo id. */
  const waiting = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let pauseMs = FIRST_MS;

  async function ask(): Promise<void> {
    const [ids, others] = [
      [...waiting.keys()].slice(0, REQUEST_BATCH_SIZE),
      [...waiting].slice(REQUEST_BATCH_SIZE),
    ];
    const left = new Map(others);
    const photos = await find(ids).catch(() => []);
    for (const id of ids) {
      const url = photos.find((photo) => photo.id === id)?.previewUrl ?? null;
      const rounds = (waiting.get(id) ?? 0) - 1;
      if (url) (urls.get(id) as Signal).value = url;
      if (url || rounds <= 0) waiting.delete(id);
      else left.set(id, rounds);
    }
    // Ids that were not in this batch come first in the next one.
    for (const [id, rounds] of left) if (waiting.delete(id)) waiting.set(id, rounds);
    timer = null;
    if (others.length === 0) pauseMs *= 1.5;
    later();
  }

  function later(): void {
    if (waiting.size > 0) timer ??= setTimeout(() => void ask(), pauseMs);
  }

  return {
    urlOf(id) {
      const existing = urls.get(id);
      if (existing) return existing;
      const url = signal<string | null>(null);
      urls.set(id, url);
      waiting.set(id, ROUNDS);
      pauseMs = FIRST_MS;
      later();
      return url;
    },
    close() {
      waiting.clear();
      if (timer) clearTimeout(timer);
    },
  };
}
