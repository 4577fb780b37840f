import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Ask } from "../graphql-client.js";
import { DELETE_PHOTO, MORE_PHOTOS } from "../operations.js";
import type { Photo } from "../types.js";

export interface PhotoPage {
  nodes: Photo[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
}

export interface PhotoLibrary {
  /** Newest first, as far as they were read. */
  readonly photos: ReadonlySignal<readonly Photo[]>;
  /** In the order in which they were chosen. */
  readonly chosen: ReadonlySignal<readonly string[]>;
  readonly hasMore: ReadonlySignal<boolean>;
  /** Puts it in front, and chooses it. */
  add(photo: Photo): void;
  toggle(id: string): void;
  chooseAll(): void;
  chooseNone(): void;
  readMore(): Promise<void>;
  /** Throws RequestError, e.g. CONFLICT while unfinished QueuedJobs use one. */
  deleteChosen(): Promise<void>;
}

export function createPhotoLibrary(ask: Ask, first: PhotoPage): PhotoLibrary {
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
          ...next.nodes.filter(({ id }) => !photos.value.some((known) => known.id === id)),
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
