import { PHOTOS } from "../operations.js";
import type { Parts } from "../parts.js";
import { ONCE } from "../transport/requests.js";
import type { Page, Photo, SentPhotoEvent } from "../types.js";
import { matches, sortKey, type PhotoFilter, type PhotoOrder } from "./photo-filter.js";

export interface PhotoListOptions {
  /** Number of photos of a page, 1 to 100. Default: 50. */
  first?: number | undefined;
  filter?: PhotoFilter | undefined;
  /** By upload, or by the camera's clock. Default: "UPLOADED". */
  orderBy?: PhotoOrder | undefined;
}

/** The photos of the pages read so far, and of the events since. */
export function createPhotoPages(
  { query, urls }: Parts,
  { first = 50, filter = {}, orderBy = "UPLOADED" }: PhotoListOptions,
) {
  const photos = new Map<string, Photo>();
  let pageInfo: Page<Photo>["pageInfo"] = { hasNextPage: false, endCursor: null };
  /** Key of the last photo of the pages: those behind it come with a later page. */
  let last = "";
  /** Events that came while a page was read, which may be from before them; null between reads. */
  let meantime: SentPhotoEvent[] | null = null;
  const key = (photo: Photo): string => sortKey(orderBy, photo);

  function apply(event: SentPhotoEvent): void {
    const { type, photo } = event;
    const isInRange = !pageInfo.hasNextPage || key(photo) >= last;
    const isFound = filter.similarTo === undefined || photos.has(photo.id);
    if (type !== "DELETED" && isInRange && isFound && matches(photo, filter))
      photos.set(photo.id, urls.ofPhoto(photo));
    else photos.delete(photo.id);
  }

  return {
    hasMore: (): boolean => pageInfo.hasNextPage,
    shown: (): Photo[] => [...photos.values()].sort((a, b) => (key(a) < key(b) ? 1 : -1)),
    receive(event: SentPhotoEvent): void {
      meantime?.push(event);
      apply(event);
    },
    /** Reads the first or the next page. Returns the position of the stream at the first page. */
    async read(isFirst: boolean, signal?: AbortSignal): Promise<string> {
      const events: SentPhotoEvent[] = (meantime = []);
      const after = isFirst ? null : pageInfo.endCursor;
      const { page } = await query<{ page: Page<Photo> & { eventCursor: string } }>(
        PHOTOS,
        { first, after, filter, orderBy },
        { signal, ...(isFirst && ONCE) },
      ).finally(() => {
        if (meantime === events) meantime = null;
      });
      if (isFirst) photos.clear();
      // The list may have been read again from its beginning.
      if (isFirst || after === pageInfo.endCursor) {
        pageInfo = page.pageInfo;
        for (const photo of page.nodes) {
          last = key(photo);
          photos.set(photo.id, urls.ofPhoto(photo));
        }
        events.forEach(apply);
      }
      return page.eventCursor;
    },
  };
}
