import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import {
  blocksBetween,
  layOut,
  rowsBetween,
  type Block,
  type Head,
  type Layout,
} from "../../grid/layout.js";
import type { Place } from "../../grid/steps.js";
import type { PhotoLibrary } from "../../library/library.js";
import { useWorkspace } from "../../workspace.js";
import { DayBlock } from "./day-block.js";
import { measuresFor, NARROW } from "./measures.js";
import { isScrubbed, Scrubber, SCRUBBER_PX } from "./scrubber.js";
import { useDragSelect } from "./use-drag-select.js";
import { useGridKeys } from "./use-grid-keys.js";
import { useViewport, type Viewport } from "./use-viewport.js";

/** Distance beyond the edges up to which photos are drawn, and read. */
const DRAWN_PX = 500;
/** Pause between two requests while the user scrolls. */
const READ_MS = 90;
/** Part of the visible height; whoever scrolls farther during a pause cannot see single photos. */
const SEEN_PART = 0.4;

/** Where the last grid was left, for the same search. */
const left = { search: "", top: 0 };

/** All photos that match, of which those near the visible part are drawn. */
export function PhotoGrid({ search }: { search: string }) {
  const { library, photos } = useWorkspace();
  const box = useRef<HTMLDivElement>(null);
  const viewport = useViewport(box);
  const size = useComputed(() => `${viewport.value.width} ${viewport.value.height}`);
  const layout = useComputed(() => layOutBeside(library.heads.value, size.value));
  const current = useSignal<Place>({ index: 0, position: 0 });
  const { top, height } = viewport.value;
  const measures = measuresFor(viewport.value.width);
  const [from, to] = [top - DRAWN_PX, top + height + DRAWN_PX];
  const drawn = viewport.value.width > 0 ? blocksBetween(layout.value, from, to) : [];
  useScrollPosition(box, layout.value, search);
  const rowsOf = (block: Block) =>
    rowsBetween(block, { ...measures, tile: layout.value.tile }, from, to);
  useReading({
    library,
    viewport,
    keys: drawn.map(({ key }) => key),
    places: placesAtEnds(drawn, rowsOf),
  });
  const tabStop = tabStopAmong(drawn, current.value, rowsOf);
  const keys = useGridKeys({ box, layout, current });
  const drag = useDragSelect();
  return (
    <div class="photo-grid-frame">
      <div
        class={photos.count.value > 0 ? "photo-grid is-selecting" : "photo-grid"}
        ref={box}
        role="region"
        aria-label="Your photos"
        {...keys}
        {...drag}
      >
        <div class="canvas" style={{ height: `${layout.value.height}px` }}>
          {drawn.map((block) => (
            <DayBlock
              key={block.key}
              block={block}
              tile={layout.value.tile}
              measures={measures}
              rows={rowsOf(block)}
              current={tabStop?.index === block.index ? tabStop.position : -1}
            />
          ))}
        </div>
      </div>
      <Scrubber box={box} layout={layout.value} viewport={viewport.value} />
    </div>
  );
}

/** The photo that the Tab key reaches: the one that had the focus last, else the first in sight. */
function tabStopAmong(
  drawn: readonly Block[],
  current: Place,
  rowsOf: (block: Block) => { start: number; end: number },
): Place | null {
  const isDrawn = drawn.some((block) => {
    const { start, end } = rowsOf(block);
    const row = Math.floor(current.position / block.columns);
    return block.index === current.index && row >= start && row < end;
  });
  if (isDrawn) return current;
  const [first] = drawn;
  return first ? { index: first.index, position: rowsOf(first).start * first.columns } : null;
}

/** Leaves room for the scrubber beside a list that is long enough to have one. */
function layOutBeside(heads: readonly Head[], size: string): Layout {
  const [width = 0, height = 0] = size.split(" ").map(Number);
  const layout = layOut(heads, measuresFor(width));
  const isBeside = isScrubbed(layout, height) && width - SCRUBBER_PX >= NARROW;
  return isBeside ? layOut(heads, measuresFor(width - SCRUBBER_PX)) : layout;
}

/** The first and the last photo drawn of each block. */
function placesAtEnds(
  drawn: readonly Block[],
  rowsOf: (block: Block) => { start: number; end: number },
): Place[] {
  return drawn.flatMap((block) => {
    const { start, end } = rowsOf(block);
    const last = Math.min(block.count, end * block.columns) - 1;
    return [Math.min(start * block.columns, block.count - 1), Math.max(0, last)].map(
      (position) => ({ index: block.index, position }),
    );
  });
}

interface Wanted {
  library: PhotoLibrary;
  viewport: ReadonlySignal<Viewport>;
  /** Keys of the blocks that are drawn. */
  keys: string[];
  places: Place[];
}

/** Reads the photos that are drawn, but not those that only fly by. */
function useReading(wanted: Wanted): void {
  const timer = useRef(0);
  const latest = useRef(wanted);
  latest.current = wanted;
  useEffect(() => {
    const readUnlessMoved = (from: number): void => {
      const { library, viewport, places } = latest.current;
      const { top, height } = viewport.value;
      timer.current = 0;
      if (Math.abs(top - from) > height * SEEN_PART) readLater(top);
      else library.want(places);
    };
    // A slow frame shows only at its end how far it has moved.
    const readLater = (from: number): void => {
      timer.current = window.setTimeout(
        () =>
          requestAnimationFrame(() => {
            timer.current = window.setTimeout(() => readUnlessMoved(from));
          }),
        READ_MS,
      );
    };
    if (!timer.current) readLater(wanted.viewport.value.top);
  }, [JSON.stringify([wanted.keys, wanted.places])]);
  useEffect(() => () => clearTimeout(timer.current), []);
}

/** False before the width of the page is known, and before the photos are counted. */
const isLaidOut = ({ tile, height }: Layout): boolean => tile > 1 && height > 0;

/** Keeps the photos in sight in their place when others arrive above, and when the view is left. */
function useScrollPosition(
  ref: { current: HTMLDivElement | null },
  layout: Layout,
  search: string,
): void {
  const anchor = useRef<Block | null>(null);
  const isRestored = useRef(false);
  useLayoutEffect(() => {
    const box = ref.current;
    return () => void (box && Object.assign(left, { search, top: box.scrollTop }));
  }, []);
  useLayoutEffect(() => {
    const box = ref.current;
    const before = anchor.current;
    if (!box || !isLaidOut(layout)) return;
    const after = before && layout.blocks.find(({ key }) => key === before.key);
    if (before && after && box.scrollTop > 0) box.scrollTop += after.top - before.top;
    if (!isRestored.current && left.search === search) box.scrollTop = left.top;
    isRestored.current = true;
    [anchor.current = null] = blocksBetween(layout, box.scrollTop, box.scrollTop);
  }, [layout]);
  useEffect(() => {
    const box = ref.current;
    const note = (): void => {
      if (box) [anchor.current = null] = blocksBetween(layout, box.scrollTop, box.scrollTop);
    };
    box?.addEventListener("scrollend", note);
    return () => box?.removeEventListener("scrollend", note);
  }, [layout]);
}
