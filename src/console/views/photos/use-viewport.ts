import { useSignal, type ReadonlySignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

export interface Viewport {
  width: number;
  height: number;
  top: number;
}

/** Steps in which scrolling is noticed; what is drawn reaches farther beyond the edges. */
const STEP_PX = 64;

/** The visible part of a scrolling element. */
export function useViewport(ref: RefObject<HTMLElement | null>): ReadonlySignal<Viewport> {
  const viewport = useSignal<Viewport>({ width: 0, height: 0, top: 0 });
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return undefined;
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      const { clientWidth: width, clientHeight: height } = box;
      const top = Math.round(box.scrollTop / STEP_PX) * STEP_PX;
      const last = viewport.peek();
      if (last.width !== width || last.height !== height || last.top !== top)
        viewport.value = { width, height, top };
    };
    const later = (): void => {
      frame ||= requestAnimationFrame(measure);
    };
    const observer = new ResizeObserver(later);
    observer.observe(box);
    box.addEventListener("scroll", later, { passive: true });
    measure();
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      box.removeEventListener("scroll", later);
    };
  }, []);
  return viewport;
}
