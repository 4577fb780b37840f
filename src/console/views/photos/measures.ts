import type { Measures } from "../../grid/layout.js";

/** Width below which the page is that of a phone. */
export const NARROW = 600;

/** Sizes of the grid for a width of the page; phones get at least three photos side by side. */
export function measuresFor(width: number): Measures {
  const isNarrow = width < NARROW;
  return {
    width,
    tile: isNarrow ? 124 : Math.min(210, 130 + width / 28),
    gap: isNarrow ? 2 : 4,
    title: isNarrow ? 40 : 44,
    below: isNarrow ? 8 : 16,
  };
}
