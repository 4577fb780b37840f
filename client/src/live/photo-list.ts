import { CursorExpiredError, type PhotoServiceError } from "../errors.js";
import { PHOTO_EVENTS } from "../operations.js";
import { partsFor } from "../parts.js";
import type { PhotoService } from "../photo-service.js";
import type { Photo, SentPhotoEvent } from "../types.js";
import { createLive, type Live } from "./live.js";
import { createPhotoPages, type PhotoListOptions } from "./photo-pages.js";

export interface PhotoListSnapshot {
  /** Newest first; the pages read so far. */
  photos: readonly Photo[];
  isLoading: boolean;
  /** False while the connection is lost; the list is then as of its loss. */
  isLive: boolean;
  hasMore: boolean;
  /** Why the list is not live, or the last page could not be read. */
  error: PhotoServiceError | null;
}

export interface PhotoList extends Live<PhotoListSnapshot> {
  /** Reads the next page of older photos; a failure is the snapshot's `error`. */
  loadMore(): Promise<void>;
}

/** The user's photos, current: with the uploads, previews and deletions of all clients. */
export function createPhotoList(service: PhotoService, options: PhotoListOptions = {}): PhotoList {
  const parts = partsFor(service);
  const pages = createPhotoPages(parts, options);
  /** Position in the stream; null before the first page, and when it has expired. */
  let cursor: string | null = null;
  const { update, getSnapshot, subscribe } = createLive<PhotoListSnapshot>(
    { photos: [], isLoading: true, isLive: false, hasMore: false, error: null },
    {
      listen: () => () => {},
      async run(signal) {
        cursor ??= await read(true, signal);
        await parts.events.follow<SentPhotoEvent>(PHOTO_EVENTS, {
          after: cursor,
          signal,
          onEvent(event) {
            cursor = event.cursor;
            pages.receive(event);
            update({ photos: pages.shown() });
          },
          onState: (error) => update({ isLive: !error, error }),
        });
      },
      onError(error) {
        if (error instanceof CursorExpiredError) cursor = null;
        else update({ isLoading: false, isLive: false, error: error as PhotoServiceError });
        return !cursor || parts.events.isWorthWaiting(error);
      },
    },
  );

  async function read(isFirst: boolean, signal?: AbortSignal): Promise<string> {
    update({ isLoading: true });
    const position = await pages.read(isFirst, signal);
    update({ photos: pages.shown(), hasMore: pages.hasMore(), isLoading: false, error: null });
    return position;
  }

  return {
    getSnapshot,
    subscribe,
    async loadMore() {
      if (!getSnapshot().isLoading && pages.hasMore())
        await read(false).catch((error: PhotoServiceError) => update({ isLoading: false, error }));
    },
  };
}
