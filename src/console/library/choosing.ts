import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Query } from "../../../client/src/index.js";
import { choose, type Chosen, isChosen, NONE_CHOSEN } from "../grid/selection.js";
import { comparePlaces, type Place } from "../grid/steps.js";
import { messageOf, number } from "../in-words.js";
import type { Notices } from "../notices/notices.js";
import { restoreChosen } from "./kept-selection.js";
import type { PhotoLibrary } from "./library.js";
import { readIds } from "./reads.js";

/** The selection, and the ways to extend it to photos that have not been read. */
export interface Choosing {
  readonly chosen: Signal<Chosen>;
  readonly isReading: ReadonlySignal<boolean>;
  chooseBetween(a: Place, b: Place, isOn: boolean): Promise<void>;
  chooseAll(): Promise<void>;
}

/** The service accepts no more unfinished QueuedJobs than this by default. */
const MAX_CHOSEN = 10_000;

export function createChoosing({
  ask,
  library,
  notices,
}: {
  ask: Query;
  library: PhotoLibrary;
  notices: Notices;
}): Choosing {
  const chosen = signal<Chosen>(restoreChosen());
  const isReading = signal(false);

  async function chooseBetween(a: Place, b: Place, isOn: boolean): Promise<void> {
    const ids: string[] = [];
    try {
      for (const place of placesBetween(library, a, b)) {
        const photo = library.at(place) ?? (await library.load(place));
        if (photo) ids.push(photo.id);
      }
    } catch (error) {
      notices.fault(messageOf(error));
    }
    chosen.value = choose(chosen.value, ids, isOn);
  }

  /** Shows all as selected at once, and reads the ids of those that a job can run on. */
  async function chooseAll(): Promise<void> {
    const filter = library.filter.peek();
    chosen.value = { kind: "all", total: library.total.peek(), except: new Set() };
    isReading.value = true;
    try {
      const ids = await readIds(ask, { damaged: false, ...filter }, MAX_CHOSEN);
      const { value } = chosen;
      // The user may have ended the selection, or searched for other photos.
      if (value.kind !== "all") return;
      const isSame = filter === library.filter.peek();
      const found = isSame ? ids.filter((id) => isChosen(value, id)) : [];
      chosen.value = { kind: "some", ids: new Set(found) };
      if (ids.length === MAX_CHOSEN) notices.show(`At most ${number(MAX_CHOSEN)} are selected`);
    } catch (error) {
      notices.fault(messageOf(error));
      chosen.value = NONE_CHOSEN;
    } finally {
      isReading.value = false;
    }
  }

  return { chosen, isReading, chooseBetween, chooseAll };
}

export function placesBetween(library: PhotoLibrary, a: Place, b: Place): Place[] {
  const [first, last] = comparePlaces(a, b) <= 0 ? [a, b] : [b, a];
  const places: Place[] = [];
  for (let { index } = first; index <= last.index; index++) {
    const count = library.heads.peek()[index]?.count ?? 0;
    const start = index === first.index ? first.position : 0;
    const end = index === last.index ? last.position : count - 1;
    for (let position = start; position <= end; position++) places.push({ index, position });
  }
  return places;
}
