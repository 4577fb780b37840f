import { useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { bounded, WHOLE, zoomAt, type Zoom } from "./zoom.js";

interface Point {
  x: number;
  y: number;
}

type Stage = RefObject<HTMLElement | null>;

const DOUBLE = 2.5;
/** Distance of a swipe that leads to the next photo. */
const SWIPE_PX = 60;

/** Zooming by wheel, double click, two fingers and keys; moving by dragging. */
export function useZoom(
  stage: Stage,
  { id, onSwipe }: { id: string; onSwipe(step: 1 | -1): void },
): { zoom: ReadonlySignal<Zoom>; handlers: object; by(factor: number): void } {
  const zoom = useSignal(WHOLE);
  const swipe = useRef(onSwipe);
  swipe.current = onSwipe;
  useEffect(() => {
    zoom.value = WHOLE;
  }, [id]);
  const { apply, by } = useMemo(() => createZooming(stage, zoom), []);
  const pointers = useMemo(
    () => createPointers({ stage, zoom, apply, by, onSwipe: (step) => swipe.current(step) }),
    [],
  );
  const handlers = {
    ...pointers,
    onWheel(event: WheelEvent): void {
      event.preventDefault();
      by(Math.exp(-event.deltaY / 400), fromMiddle(stage, pointOf(event)));
    },
    onDblClick(event: MouseEvent): void {
      if (zoom.peek().scale === 1) by(DOUBLE, fromMiddle(stage, pointOf(event)));
      else zoom.value = WHOLE;
    },
  };
  return { zoom, handlers, by };
}

function createZooming(stage: Stage, zoom: Signal<Zoom>) {
  function apply(next: Zoom): void {
    const box = stage.current;
    const picture = box?.querySelector<HTMLElement>(".picture");
    if (!box || !picture) return;
    const size = { width: picture.offsetWidth, height: picture.offsetHeight };
    zoom.value = bounded(next, size, { width: box.clientWidth, height: box.clientHeight });
  }
  return {
    apply,
    by(factor: number, at: Point = { x: 0, y: 0 }): void {
      apply(zoomAt(zoom.peek(), factor, at));
    },
  };
}

interface PointersOptions {
  stage: Stage;
  zoom: Signal<Zoom>;
  apply(zoom: Zoom): void;
  by(factor: number, at: Point): void;
  onSwipe(step: 1 | -1): void;
}

/** One pointer moves an enlarged picture or swipes to another; two change its size. */
function createPointers({ stage, zoom, apply, by, onSwipe }: PointersOptions) {
  const pointers = new Map<number, Point>();
  let start: Point | null = null;

  function move(event: PointerEvent): void {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = pointOf(event);
    const other = [...pointers].find(([key]) => key !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    if (other) {
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      by(factor, fromMiddle(stage, middle));
    } else if (zoom.peek().scale > 1) {
      const { scale, x, y } = zoom.peek();
      apply({ scale, x: x + now.x - before.x, y: y + now.y - before.y });
    }
  }

  function release(event: PointerEvent): void {
    pointers.delete(event.pointerId);
    const from = start;
    start = null;
    if (!from || event.pointerType === "mouse" || zoom.peek().scale > 1) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > 2 * Math.abs(dy)) onSwipe(dx < 0 ? 1 : -1);
  }

  return {
    onPointerDown(event: PointerEvent): void {
      if ((event.target as Element).closest("button, a, input")) return;
      start = pointers.size === 0 ? pointOf(event) : null;
      pointers.set(event.pointerId, pointOf(event));
    },
    onPointerMove: move,
    onPointerUp: release,
    onPointerCancel: release,
    onPointerLeave: release,
  };
}

const pointOf = ({ clientX, clientY }: MouseEvent): Point => ({ x: clientX, y: clientY });
const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

/** A point of the page, from the middle of the stage. */
function fromMiddle({ current }: Stage, { x, y }: Point): Point {
  const area = current?.getBoundingClientRect();
  if (!area) return { x: 0, y: 0 };
  return { x: x - area.left - area.width / 2, y: y - area.top - area.height / 2 };
}
