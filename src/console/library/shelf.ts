// The photos read so far, by day, each day as a signal: an event redraws one day.
import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { sortKey } from "../../../client/src/live/photo-filter.js";
import type { Photo } from "../types.js";
import { ADDED, UNDATED } from "./chunks.js";

type Order = "taken" | "added";

/** A contiguous part of a day. The rest is before it or behind it. */
export interface Loaded {
  photos: readonly Photo[];
  /** True if the part ends with the day's last photo. */
  isFromEnd: boolean;
}

const NOTHING: Loaded = { photos: [], isFromEnd: false };

export function dayOf(photo: Pick<Photo, "takenAt">): string {
  return photo.takenAt?.slice(0, 10) ?? UNDATED;
}

export class Shelf {
  readonly #days = new Map<string, Signal<Loaded>>();
  /** The day of each photo. */
  readonly #keys = new Map<string, string>();

  of(key: string): ReadonlySignal<Loaded> {
    return this.#day(key);
  }

  get(id: string): Photo | undefined {
    const { photos } = this.#day(this.#keys.get(id) ?? UNDATED).peek();
    return photos.find((photo) => photo.id === id);
  }

  keyOf(id: string): string | undefined {
    return this.#keys.get(id);
  }

  /** Adds the photos to their days, in order. */
  put(photos: readonly Photo[], { order, isFromEnd }: { order: Order; isFromEnd: boolean }): void {
    const added = photos.filter((photo) => this.keyOf(photo.id) !== keyIn(order, photo));
    for (const photo of added) {
      this.take(photo.id);
      this.#keys.set(photo.id, keyIn(order, photo));
    }
    for (const key of new Set(added.map((photo) => keyIn(order, photo)))) {
      const day = this.#day(key);
      const group = added.filter((photo) => keyIn(order, photo) === key);
      day.value = { photos: sorted([...day.value.photos, ...group], order), isFromEnd };
    }
  }

  /** Removes a photo; true if it was there. */
  take(id: string): boolean {
    const key = this.#keys.get(id);
    if (key === undefined) return false;
    this.#keys.delete(id);
    this.#change(key, (photos) => photos.filter((photo) => photo.id !== id));
    return true;
  }

  /** Stores the new state of a photo that is there already. */
  replace(photo: Photo): void {
    const key = this.#keys.get(photo.id);
    if (key !== undefined)
      this.#change(key, (photos) => photos.map((one) => (one.id === photo.id ? photo : one)));
  }

  empty(keys: readonly string[]): void {
    for (const key of keys) {
      const day = this.#day(key);
      for (const { id } of day.value.photos) this.#keys.delete(id);
      day.value = NOTHING;
    }
  }

  clear(): void {
    this.empty([...this.#days.keys()]);
  }

  #day(key: string): Signal<Loaded> {
    const known = this.#days.get(key);
    if (known) return known;
    const day = signal(NOTHING);
    this.#days.set(key, day);
    return day;
  }

  #change(key: string, change: (photos: readonly Photo[]) => readonly Photo[]): void {
    const day = this.#day(key);
    day.value = { ...day.value, photos: change(day.value.photos) };
  }
}

const keyIn = (order: Order, photo: Photo): string => (order === "added" ? ADDED : dayOf(photo));

function sorted(photos: Photo[], order: Order): Photo[] {
  const place = (photo: Photo): string => sortKey(order === "added" ? "UPLOADED" : "TAKEN", photo);
  return photos.sort((a, b) => (place(a) < place(b) ? 1 : -1));
}

/** The photo at a position of a day, if it has been read. */
export function photoAt(
  { photos, isFromEnd }: Loaded,
  count: number,
  position: number,
): Photo | undefined {
  return photos[isFromEnd ? position - (count - photos.length) : position];
}
