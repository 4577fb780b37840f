import { computed, effect, type ReadonlySignal } from "@preact/signals";
import type { PhotoFilter, Query } from "../../../client/src/index.js";
import { isSearching, type PhotoSearch } from "../address/address.js";
import type { Head } from "../grid/layout.js";
import type { Place } from "../grid/steps.js";
import type { Photo, PhotoEvent } from "../types.js";
import { applyPhotoEvent } from "./arrivals.js";
import { createCounting } from "./counting.js";
import { createReading } from "./reading.js";
import type { Loaded } from "./shelf.js";
import { createLibraryState, photoAtPlace, placeOfPhoto } from "./state.js";

/** The photos that match the search: counted at once, read where they are looked at. */
export interface PhotoLibrary {
  /** Days with photos, in the order of the list. */
  readonly heads: ReadonlySignal<readonly Head[]>;
  readonly total: ReadonlySignal<number>;
  /** False until the first counts are there. */
  readonly isCounted: ReadonlySignal<boolean>;
  /** Why the photos could not be read. */
  readonly fault: ReadonlySignal<string | null>;
  readonly filter: ReadonlySignal<PhotoFilter>;
  /** Cameras of the photos read so far. */
  readonly cameras: ReadonlySignal<readonly string[]>;
  loaded(key: string): ReadonlySignal<Loaded>;
  get(id: string): Photo | undefined;
  at(place: Place): Photo | undefined;
  placeOf(id: string): Place | null;
  /** Reads what these places need. Places of an earlier call that are not among them are dropped. */
  want(places: readonly Place[]): void;
  /** Reads on until the photo at this place is there. */
  load(place: Place): Promise<Photo | undefined>;
  apply(event: PhotoEvent): void;
  /** Counts everything again, because events may have been missed. */
  read(): Promise<void>;
  close(): void;
}

export function createPhotoLibrary(ask: Query, search: ReadonlySignal<PhotoSearch>): PhotoLibrary {
  const state = createLibraryState(ask, search);
  const { heads, isCounted, fault, filter, cameras, shelf } = state;
  const reading = createReading(state);
  const counting = createCounting(state, reading.pump);
  const stop = effect(() => {
    void filter.value;
    void state.order.value;
    void counting.read();
  });
  return {
    heads,
    total: computed(() => heads.value.reduce((sum, { count }) => sum + count, 0)),
    isCounted,
    fault,
    filter,
    cameras,
    loaded: (key) => shelf.of(key),
    get: (id) => shelf.get(id),
    at: (place) => photoAtPlace(state, place),
    placeOf: (id) => placeOfPhoto(state, id),
    want: reading.want,
    load: reading.load,
    apply(event) {
      applyPhotoEvent(state, event);
      // A preview alone moves no photo, except where metadata came with it.
      const isPreview = event.type === "PREVIEWED" && event.photo.takenAt === null;
      if (!isPreview || isSearching(search.peek())) counting.correctLater();
    },
    read: counting.read,
    close() {
      counting.close();
      stop();
    },
  };
}
