import { useRef } from "preact/hooks";
import { isChosen, type Chosen } from "../../grid/selection.js";
import type { Place } from "../../grid/steps.js";
import { useWorkspace } from "../../workspace.js";

export function placeAt(element: Element | null): Place | null {
  const text = element?.closest<HTMLElement>("[data-place]")?.dataset["place"];
  const [index, position] = (text ?? "").split(".").map(Number);
  return index === undefined || position === undefined ? null : { index, position };
}

/** Selects the photos that the mouse is drawn over, from a selection mark on. */
export function useDragSelect() {
  const { library, photos } = useWorkspace();
  const drag = useRef<{ from: Place; before: Chosen; isOn: boolean; hasMoved: boolean } | null>(
    null,
  );
  return {
    onPointerDown(event: PointerEvent): void {
      const target = event.target as Element;
      const from = target.closest(".choose") && placeAt(target);
      if (!from || event.pointerType !== "mouse" || event.button !== 0) return;
      const before = photos.chosen.peek();
      const photo = library.at(from);
      const isOn = photo !== undefined && !isChosen(before, photo.id);
      drag.current = { from, before, isOn, hasMoved: false };
    },
    onPointerMove(event: PointerEvent): void {
      const { current } = drag;
      if (!current) return;
      if (event.buttons === 0) return void (drag.current = null);
      const to = placeAt(document.elementFromPoint(event.clientX, event.clientY));
      const isElsewhere = to?.index !== current.from.index || to.position !== current.from.position;
      if (!to || (!current.hasMoved && !isElsewhere)) return;
      current.hasMoved = true;
      photos.paint(current.before, current.from, to, current.isOn);
    },
    /** A drag that ends on the mark where it began must not count as a click. */
    onClickCapture(event: MouseEvent): void {
      if (drag.current?.hasMoved) {
        event.preventDefault();
        event.stopPropagation();
      }
      drag.current = null;
    },
  };
}
