import { batch } from "@preact/signals";
import type { Place } from "../grid/steps.js";
import { messageOf } from "../in-words.js";
import type { Photo } from "../types.js";
import type { Chunk } from "./chunks.js";
import { readPage } from "./reads.js";
import { photoAtPlace, type LibraryState } from "./state.js";

const CONCURRENCY = 3;

/** Reads the chunks of the photos that are looked at, some at a time. */
export function createReading(state: LibraryState) {
  // The first page is read as soon as it is known to exist.
  let wanted: readonly Place[] = [{ index: 0, position: 0 }];

  const chunkAt = ({ index }: Place): Chunk | undefined =>
    state.chunks.get(state.heads.peek()[index]?.key ?? "");

  function next(chunk: Chunk): Promise<void> {
    chunk.reading ??= readOn(state, chunk).finally(() => {
      chunk.reading = null;
    });
    return chunk.reading;
  }

  function pump(): void {
    const missing = new Set<Chunk>();
    for (const place of wanted) {
      const chunk = chunkAt(place);
      if (chunk && (chunk.isFresh || (chunk.hasMore && !photoAtPlace(state, place))))
        missing.add(chunk);
    }
    const busy = [...new Set(state.chunks.values())].filter(({ reading }) => reading).length;
    const idle = [...missing].filter(({ reading }) => !reading);
    for (const chunk of idle.slice(0, Math.max(0, CONCURRENCY - busy)))
      next(chunk).then(pump, (error: unknown) => {
        state.fault.value = messageOf(error);
      });
  }

  return {
    pump,
    want(places: readonly Place[]): void {
      wanted = places;
      pump();
    },
    async load(place: Place): Promise<Photo | undefined> {
      const chunk = chunkAt(place);
      const mine = state.generation;
      while (mine === state.generation && chunk?.hasMore && !photoAtPlace(state, place))
        await next(chunk);
      return mine === state.generation ? photoAtPlace(state, place) : undefined;
    },
  };
}

async function readOn(state: LibraryState, chunk: Chunk): Promise<void> {
  const { generation, shelf, cameras, order } = state;
  const page = await readPage(state.ask, chunk);
  if (generation !== state.generation) return;
  batch(() => {
    if (chunk.isFresh) shelf.empty(chunk.keys);
    Object.assign(chunk, { cursor: page.cursor, hasMore: page.hasMore, isFresh: false });
    shelf.put(page.photos, { order: order.peek(), isFromEnd: chunk.isBackward });
    cameras.value = withCameras(cameras.value, page.photos);
    state.fault.value = null;
  });
}

function withCameras(known: readonly string[], photos: readonly Photo[]): readonly string[] {
  const found = photos.flatMap(({ camera }) => (camera && !known.includes(camera) ? [camera] : []));
  return found.length === 0 ? known : [...new Set([...known, ...found])].sort();
}
