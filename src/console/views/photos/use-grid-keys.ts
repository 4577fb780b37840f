import type { ReadonlySignal, Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { placeOf, type Head, type Layout } from "../../grid/layout.js";
import { acrossRows, besides, type Place } from "../../grid/steps.js";
import { useWorkspace } from "../../workspace.js";
import { measuresFor } from "./measures.js";
import { placeAt } from "./use-drag-select.js";

interface GridKeys {
  box: { current: HTMLElement | null };
  layout: ReadonlySignal<Layout>;
  /** The one photo of the grid that the Tab key reaches. */
  current: Signal<Place>;
}

/** Arrow keys move between photos, Space selects, Shift and an arrow select a range. */
export function useGridKeys({ box, layout, current }: GridKeys) {
  const { library, photos } = useWorkspace();
  const lastViewed = photos.lastViewed.value;

  async function move(place: Place): Promise<void> {
    current.value = place;
    reveal(box.current, layout.peek(), place);
    await library.load(place).catch(() => {});
    requestAnimationFrame(() => focus(box.current, place));
  }

  useEffect(() => {
    const place = lastViewed && library.placeOf(lastViewed);
    if (!place) return;
    photos.lastViewed.value = null;
    // The frame after the one in which the full view gives the focus back.
    requestAnimationFrame(() => void move(place));
  }, [lastViewed]);

  function act(event: KeyboardEvent): boolean {
    const photo = library.at(current.peek());
    if (event.key === " " && photo) photos.toggle(photo.id);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) photos.chooseAll();
    else if (event.key === "Escape" && photos.count.peek() > 0) photos.clear();
    else if (event.key === "Delete" && photos.count.peek() > 0) photos.remove(photos.ids.peek());
    else return false;
    return true;
  }

  return {
    onKeyDown(event: KeyboardEvent): void {
      const isCommand = event.altKey || event.ctrlKey || event.metaKey;
      const place = isCommand
        ? null
        : nextPlace(event.key, current.peek(), library.heads.peek(), layout.peek());
      if (place) {
        event.preventDefault();
        if (event.shiftKey && photos.count.peek() === 0) {
          const photo = library.at(current.peek());
          if (photo) photos.toggle(photo.id);
        }
        if (event.shiftKey) void photos.chooseTo(place);
        void move(place);
      } else if (act(event)) event.preventDefault();
    },
    onFocusIn(event: FocusEvent): void {
      const place = placeAt(event.target as Element);
      if (place) current.value = place;
    },
  };
}

function nextPlace(
  key: string,
  place: Place,
  heads: readonly Head[],
  layout: Layout,
): Place | null {
  const last = heads.length - 1;
  switch (key) {
    case "ArrowRight":
      return besides(heads, place, 1);
    case "ArrowLeft":
      return besides(heads, place, -1);
    case "ArrowDown":
      return acrossRows(layout, place, 1);
    case "ArrowUp":
      return acrossRows(layout, place, -1);
    case "Home":
      return { index: 0, position: 0 };
    case "End":
      return { index: last, position: (heads[last]?.count ?? 1) - 1 };
    default:
      return null;
  }
}

function reveal(box: HTMLElement | null, layout: Layout, place: Place): void {
  if (!box) return;
  const target = placeOf(layout, measuresFor(box.clientWidth), place.index, place.position);
  if (!target) return;
  if (target.top < box.scrollTop + 48) box.scrollTop = target.top - 60;
  else if (target.bottom > box.scrollTop + box.clientHeight)
    box.scrollTop = target.bottom - box.clientHeight + 16;
}

function focus(box: HTMLElement | null, { index, position }: Place): void {
  box
    ?.querySelector<HTMLElement>(`[data-place="${index}.${position}"] a`)
    ?.focus({ preventScroll: true });
}
