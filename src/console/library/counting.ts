import { batch } from "@preact/signals";
import { messageOf } from "../in-words.js";
import { chunkOf, planChunks, UNDATED } from "./chunks.js";
import { readCounts, readPage } from "./reads.js";
import { dayOf } from "./shelf.js";
import { addChunks, type LibraryState } from "./state.js";

/** Pause between an event and the count that it causes. */
const RECOUNT_MS = 800;
/** Photos that are shown before all are counted: about those in sight. */
const NEWEST = 50;

/** Counts the photos of each day, from the beginning or to correct what events have changed. */
export function createCounting(state: LibraryState, onCounted: () => void) {
  const { ask, heads, shelf, chunks, filter, order } = state;
  let timer: ReturnType<typeof setTimeout> | null = null;

  async function read(): Promise<void> {
    const mine = ++state.generation;
    // Counting a large library takes longer, and would delay what is seen first.
    if (!state.isCounted.peek()) await showNewest(state, mine).catch(() => {});
    if (mine !== state.generation) return;
    try {
      const counted = await readCounts(ask, filter.peek(), order.peek());
      if (mine !== state.generation) return;
      batch(() => {
        // The newest photos stay in sight until their days are read.
        if (state.isCounted.peek()) shelf.clear();
        chunks.clear();
        heads.value = counted;
        addChunks(state, planChunks(counted));
        state.isCounted.value = true;
        state.fault.value = null;
      });
      onCounted();
    } catch (error) {
      if (mine === state.generation) state.fault.value = messageOf(error);
    }
  }

  /** An event may have been counted twice, or not at all. */
  async function correct(): Promise<void> {
    timer = null;
    const mine = state.generation;
    const counted = await readCounts(ask, filter.peek(), order.peek()).catch(() => null);
    if (!counted || mine !== state.generation) return;
    batch(() => {
      heads.value = counted;
      const added = counted.filter(({ key }) => !chunks.has(key));
      addChunks(
        state,
        added.map(({ key }) => [key]),
      );
      for (const { key, count } of counted) renewIfWrong(state, key, count);
    });
    onCounted();
  }

  return {
    read,
    correctLater(): void {
      timer ??= setTimeout(() => void correct(), RECOUNT_MS);
    },
    close(): void {
      state.generation++;
      if (timer) clearTimeout(timer);
    },
  };
}

/** Shows the newest photos, before all are counted. */
async function showNewest(state: LibraryState, mine: number): Promise<void> {
  const { ask, filter, order, heads, shelf, isCounted } = state;
  if (order.peek() !== "taken") return;
  const page = await readPage(ask, chunkOf([UNDATED], filter.peek(), true), NEWEST);
  const photos = page.photos.filter(({ takenAt }) => takenAt !== null);
  if (mine !== state.generation || isCounted.peek() || photos.length === 0) return;
  batch(() => {
    shelf.put(photos, { order: "taken", isFromEnd: false });
    const keys = [...new Set(photos.map(dayOf))];
    heads.value = keys.map((key) => ({ key, count: shelf.of(key).peek().photos.length }));
  });
}

/** Reads a day again if its photos cannot be those that were counted. */
function renewIfWrong({ shelf, chunks }: LibraryState, key: string, count: number): void {
  const chunk = chunks.get(key);
  const { length } = shelf.of(key).peek().photos;
  const isWrong = length > count || (length < count && chunk?.hasMore === false);
  if (chunk && isWrong) Object.assign(chunk, { cursor: null, hasMore: true, isFresh: true });
}
