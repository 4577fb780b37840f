import { signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { RefObject } from "preact";

export interface Window {
  /** First row to draw, and the one behind the last. */
  start: number;
  end: number;
}

/** Rows that are drawn beyond the edges, so that a quick flick shows no gap. */
const SPARE = 12;

/**
 * Which rows of a long list are in sight, whatever it is that scrolls. Rows have one height, in
 * pixels.
 */
export function useWindow(rowHeight: number): {
  ref: RefObject<HTMLUListElement | null>;
  range: ReadonlySignal<Window>;
} {
  const ref = useRef<HTMLUListElement>(null);
  const range = useMemo(() => signal<Window>({ start: 0, end: 40 }), []);
  useEffect(() => {
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      const top = ref.current?.getBoundingClientRect().top ?? 0;
      const start = Math.max(0, Math.floor(-top / rowHeight) - SPARE);
      const end = Math.max(start, Math.ceil((innerHeight - top) / rowHeight)) + SPARE;
      if (start !== range.peek().start || end !== range.peek().end) range.value = { start, end };
    };
    const later = (): void => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    // Captured, because scrolling of an inner box does not rise.
    addEventListener("scroll", later, { capture: true, passive: true });
    addEventListener("resize", later);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", later, { capture: true });
      removeEventListener("resize", later);
    };
  }, [rowHeight]);
  return { ref, range };
}
