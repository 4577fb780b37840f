import { useSignal } from "@preact/signals";
import { monthName } from "../../grid/day-names.js";
import { blocksBetween, yearMarks, type Layout } from "../../grid/layout.js";
import type { Viewport } from "./use-viewport.js";

/** Shown for lists that are this many screens long. */
const MIN_SCREENS = 3;

/** Width that the grid leaves to it, beside the margin of the page. */
export const SCRUBBER_PX = 36;

export function isScrubbed(layout: Layout, height: number): boolean {
  return height > 0 && layout.height >= height * MIN_SCREENS;
}

/** The years along the right edge. It is a second way to scroll, and so for the pointer only. */
export function Scrubber({
  box,
  layout,
  viewport,
}: {
  box: { current: HTMLElement | null };
  layout: Layout;
  viewport: Viewport;
}) {
  const isHeld = useSignal(false);
  const { height, top } = viewport;
  if (!isScrubbed(layout, height)) return null;
  const at = Math.min(1, top / (layout.height - height));
  const scrollTo = (event: PointerEvent): void => {
    const area = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientY - area.top) / area.height));
    box.current?.scrollTo(0, part * (layout.height - height));
  };
  const [block] = blocksBetween(layout, top, top);
  return (
    <div
      class={isHeld.value ? "scrubber is-held" : "scrubber"}
      aria-hidden="true"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        isHeld.value = true;
        scrollTo(event);
      }}
      onPointerMove={(event) => {
        if (isHeld.value) scrollTo(event);
      }}
      onPointerUp={() => {
        isHeld.value = false;
      }}
      onPointerCancel={() => {
        isHeld.value = false;
      }}
    >
      {yearMarks(layout, 28 / height).map((mark) => (
        <span key={mark.year} class="year" style={{ top: `${mark.at * 100}%` }}>
          {mark.year}
        </span>
      ))}
      <span class="thumb" style={{ top: `${at * 100}%` }}>
        <span class="bubble">{block ? monthName(block.key) : ""}</span>
      </span>
    </div>
  );
}
