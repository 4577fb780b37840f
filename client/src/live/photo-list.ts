import type { PhotoServiceError } from "../errors.js";
import { PHOTOS } from "../operations.js";
import { partsFor, type PhotoChange } from "../parts.js";
import type { PhotoService } from "../photo-service.js";
import { ONCE } from "../transport/requests.js";
import type { Page, Photo } from "../types.js";
import { createLive, type Live } from "./live.js";

export interface PhotoListOptions {
  /** Number of photos of a page, 1 to 100. Default: 50. */
  first?: number | undefined;
}

export interface PhotoListSnapshot {
  /** Newest first; the pages read so far. */
  photos: readonly Photo[];
  isLoading: boolean;
  hasMore: boolean;
  error: PhotoServiceError | null;
}

export interface PhotoList extends Live<PhotoListSnapshot> {
  /** Reads the next page of older photos; a failure is the snapshot's `error`. */
  loadMore(): Promise<void>;
  /** Reads the first page again, for photos that another client has uploaded. */
  refresh(): Promise<void>;
}

/** The user's photos; uploads and deletions of the same client show at once. */
export function createPhotoList(
  service: PhotoService,
  { first = 50 }: PhotoListOptions = {},
): PhotoList {
  const { query, events, urls, photos: changes } = partsFor(service);
  let pageInfo: Page<Photo>["pageInfo"] = { hasNextPage: false, endCursor: null };
  const live = createLive<PhotoListSnapshot>(
    { photos: [], isLoading: true, hasMore: false, error: null },
    {
      listen: () => changes.listen(change),
      run: (signal) => read(null, signal),
      onError: (error) => events.isWorthWaiting(error),
    },
  );

  /** Throws if the page cannot be read. */
  async function read(after: string | null, signal?: AbortSignal): Promise<void> {
    live.update({ isLoading: true });
    try {
      const { page } = await query<{ page: Page<Photo> }>(
        PHOTOS,
        { first, after },
        signal && { ...ONCE, signal },
      );
      const nodes = page.nodes.map(urls.ofPhoto);
      const earlier = after === null ? [] : live.getSnapshot().photos;
      const ids = new Set(earlier.map(({ id }) => id));
      pageInfo = page.pageInfo;
      live.update({
        photos: [...earlier, ...nodes.filter(({ id }) => !ids.has(id))],
        hasMore: pageInfo.hasNextPage,
        isLoading: false,
        error: null,
      });
    } catch (error) {
      if (!signal?.aborted) live.update({ isLoading: false, error: error as PhotoServiceError });
      throw error;
    }
  }

  function change(one: PhotoChange): void {
    const { photos } = live.getSnapshot();
    if ("deletedId" in one)
      live.update({ photos: photos.filter(({ id }) => id !== one.deletedId) });
    // The same bytes again give a photo that may be in the list.
    else if (!photos.some(({ id }) => id === one.added.id))
      live.update({ photos: [one.added, ...photos] });
  }

  return {
    getSnapshot: live.getSnapshot,
    subscribe: live.subscribe,
    async loadMore() {
      const { isLoading, hasMore } = live.getSnapshot();
      if (hasMore && !isLoading) await read(pageInfo.endCursor).catch(() => {});
    },
    refresh: () => read(null).catch(() => {}),
  };
}
