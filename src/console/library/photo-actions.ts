import { computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Query } from "../../../client/src/index.js";
import {
  choose,
  chosenCount,
  type Chosen,
  forget,
  NONE_CHOSEN,
  toggle,
} from "../grid/selection.js";
import type { Place } from "../grid/steps.js";
import { messageOf, plural } from "../in-words.js";
import { type Deletions, forEachId } from "../notices/deletions.js";
import type { Notices } from "../notices/notices.js";
import { DELETE_PHOTO } from "../operations.js";
import { createChoosing, placesBetween } from "./choosing.js";
import { storeChosen } from "./kept-selection.js";
import type { PhotoLibrary } from "./library.js";

/** The photos that the user has selected, and what can be done with them. */
export interface PhotoActions {
  readonly chosen: ReadonlySignal<Chosen>;
  readonly count: ReadonlySignal<number>;
  /** Ids of the selected photos; empty while the ids of all are read. */
  readonly ids: ReadonlySignal<readonly string[]>;
  /** Id of the photo that was seen last in full, for the grid to lead to. */
  readonly lastViewed: Signal<string | null>;
  /** True while the ids of "all" are read. */
  readonly isReading: ReadonlySignal<boolean>;
  toggle(id: string): void;
  choose(ids: readonly string[], isOn: boolean): void;
  /** Selects from the photo that was selected last to this one. */
  chooseTo(place: Place): Promise<void>;
  chooseDay(index: number, isOn: boolean): Promise<void>;
  chooseAll(): void;
  clear(): void;
  /** Selects, beside what was selected before, the photos at hand between two places. */
  paint(before: Chosen, from: Place, to: Place, isOn: boolean): void;
  remove(ids: readonly string[]): void;
  /** Takes a photo that was deleted, by whichever client, out of the selection. */
  forget(id: string): void;
  close(): void;
}

interface Parts {
  ask: Query;
  library: PhotoLibrary;
  notices: Notices;
  deletions: Deletions;
}

export function createPhotoActions({ ask, library, notices, deletions }: Parts): PhotoActions {
  const { chosen, isReading, chooseBetween, chooseAll } = createChoosing({ ask, library, notices });
  let from: Place | null = null;

  const stop = effect(() => storeChosen(chosen.value));
  return {
    chosen,
    close: stop,
    lastViewed: signal(null),
    count: computed(() => chosenCount(chosen.value)),
    ids: computed(() => (chosen.value.kind === "some" ? [...chosen.value.ids] : [])),
    isReading,
    toggle(id) {
      from = library.placeOf(id) ?? from;
      chosen.value = toggle(chosen.value, id);
    },
    choose(ids, isOn) {
      chosen.value = choose(chosen.value, ids, isOn);
    },
    chooseTo: (place) => chooseBetween(from ?? place, place, true),
    chooseDay: (index, isOn) =>
      chooseBetween(
        { index, position: 0 },
        { index, position: (library.heads.peek()[index]?.count ?? 1) - 1 },
        isOn,
      ),
    chooseAll: () => void chooseAll(),
    clear() {
      chosen.value = NONE_CHOSEN;
    },
    paint(before, start, end, isOn) {
      const ids = placesBetween(library, start, end)
        .map((place) => library.at(place)?.id)
        .filter((id) => id !== undefined);
      chosen.value = choose(before, ids, isOn);
    },
    forget(id) {
      chosen.value = forget(chosen.value, id);
    },
    remove(ids) {
      deletions.start({
        ids,
        text: `${plural(ids.length, "photo")} deleted`,
        remove: () => deletePhotos(ask, notices, ids),
      });
      chosen.value = choose(chosen.value, ids, false);
    },
  };
}

async function deletePhotos(ask: Query, notices: Notices, ids: readonly string[]): Promise<void> {
  const remove = async (id: string): Promise<void> => void (await ask(DELETE_PHOTO, { id }));
  const { failed, messages } = await forEachId(ids, remove, messageOf);
  if (failed > 0) notices.fault(`${plural(failed, "photo")} kept: ${messages.join(" ")}`);
}
