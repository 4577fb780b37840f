import type { PhotoFilter, Query } from "../../../client/src/index.js";
import type { Head } from "../grid/layout.js";
import { PHOTO_DAYS, PHOTO_IDS, PHOTOS, photosQuery } from "../operations.js";
import type { Photo } from "../types.js";
import { ADDED, type Chunk, PAGE_SIZE, UNDATED } from "./chunks.js";

export async function readCounts(
  ask: Query,
  filter: PhotoFilter,
  order: "taken" | "added",
): Promise<Head[]> {
  const { photosByDay } = await ask<{ photosByDay: { day: string | null; count: number }[] }>(
    PHOTO_DAYS,
    { filter },
  );
  if (order === "taken")
    return photosByDay.map(({ day, count }) => ({ key: day ?? UNDATED, count }));
  const count = photosByDay.reduce((sum, day) => sum + day.count, 0);
  return count === 0 ? [] : [{ key: ADDED, count }];
}

interface Page {
  nodes: Photo[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

/** The next page of a chunk, and where the one behind it begins. */
export async function readPage(
  ask: Query,
  { filter, orderBy, isBackward, cursor }: Chunk,
  size = PAGE_SIZE,
): Promise<{ photos: Photo[]; cursor: string | null; hasMore: boolean }> {
  const place = isBackward ? { last: size, before: cursor } : { first: size, after: cursor };
  const { photos } = await ask<{ photos: Page }>(PHOTOS, { ...place, filter, orderBy });
  const { nodes, pageInfo } = photos;
  if (!isBackward)
    return { photos: nodes, cursor: pageInfo.endCursor, hasMore: pageInfo.hasNextPage };
  // Before those without a time come those with one, which other chunks read.
  const undated = nodes.filter(({ takenAt }) => takenAt === null);
  return {
    photos: undated,
    cursor: pageInfo.startCursor,
    hasMore: pageInfo.hasPreviousPage && undated.length === nodes.length,
  };
}

/** Ids of all photos that match, up to a number. */
export async function readIds(ask: Query, filter: PhotoFilter, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: string | null = null;
  do {
    const { photos }: { photos: Page } = await ask(PHOTO_IDS, { after, filter, orderBy: "TAKEN" });
    ids.push(...photos.nodes.map(({ id }) => id));
    after = photos.pageInfo.hasNextPage ? photos.pageInfo.endCursor : null;
  } while (after !== null && ids.length < limit);
  return ids.slice(0, limit);
}

/** Photos by their ids; those that are gone are left out. */
export async function readPhotos(ask: Query, ids: readonly string[]): Promise<Photo[]> {
  if (ids.length === 0) return [];
  const data = await ask<Record<string, Photo | null>>(
    photosQuery(ids.length),
    Object.fromEntries(ids.map((id, i) => [`i${i}`, id])),
  );
  return Object.values(data).filter((photo) => photo !== null);
}

const RENEW_MS = 50;
const RENEW_BATCH = 20;

/** Photos with new URLs, asked for together: signed URLs expire after an hour. */
export function createRenewal(ask: Query): (id: string) => Promise<Photo | undefined> {
  let waiting = new Map<string, ((photo: Photo | undefined) => void)[]>();
  async function send(): Promise<void> {
    const asked = waiting;
    waiting = new Map();
    const ids = [...asked.keys()];
    for (let i = 0; i < ids.length; i += RENEW_BATCH) {
      const some = ids.slice(i, i + RENEW_BATCH);
      const photos = await readPhotos(ask, some).catch(() => []);
      for (const id of some)
        for (const give of asked.get(id) ?? []) give(photos.find((photo) => photo.id === id));
    }
  }
  return (id) =>
    new Promise((resolve) => {
      if (waiting.size === 0) setTimeout(() => void send(), RENEW_MS);
      waiting.set(id, [...(waiting.get(id) ?? []), resolve]);
    });
}
