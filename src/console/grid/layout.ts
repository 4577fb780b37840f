// Places of all photos, from the number of photos of each day alone: all tiles are squares of one
// size, and days that are short enough share a line.

export interface Head {
  /** Day of taking, or "undated" or "added". */
  key: string;
  count: number;
}

export interface Block {
  /** Index among the heads. */
  index: number;
  key: string;
  count: number;
  top: number;
  left: number;
  width: number;
  /** Height of its title and its tiles, without the gap behind it. */
  height: number;
  columns: number;
}

export interface Layout {
  blocks: readonly Block[];
  height: number;
  /** Side of a tile. */
  tile: number;
  columns: number;
}

export interface Measures {
  width: number;
  /** Desired side of a tile; the real one lets whole columns fill the width. */
  tile: number;
  gap: number;
  /** Height of a day's title. */
  title: number;
  /** Space below a line of days. */
  below: number;
}

export function layOut(heads: readonly Head[], measures: Measures): Layout {
  const { width, gap, title, below } = measures;
  const columns = Math.max(3, Math.round((width + gap) / (measures.tile + gap)));
  const tile = Math.max(1, (width - gap * (columns - 1)) / columns);
  const blocks: Block[] = [];
  let [top, used, lineHeight] = [0, 0, 0];
  heads.forEach(({ key, count }, index) => {
    if (count <= 0) return;
    const own = Math.min(columns, count);
    // A day that does not fit any more begins a new line.
    if (used > 0 && used + own > columns) {
      top += lineHeight + below;
      [used, lineHeight] = [0, 0];
    }
    const rows = Math.ceil(count / columns);
    const height = title + rows * tile + (rows - 1) * gap;
    blocks.push({
      index,
      key,
      count,
      top,
      left: used * (tile + gap),
      width: own * tile + (own - 1) * gap,
      height,
      columns: own,
    });
    used += own;
    lineHeight = Math.max(lineHeight, height);
  });
  return { blocks, height: blocks.length === 0 ? 0 : top + lineHeight, tile, columns };
}

/** The blocks that reach into a part of the page, found by bisection. */
export function blocksBetween({ blocks }: Layout, top: number, bottom: number): readonly Block[] {
  const first = firstIndex(blocks, (block) => block.top + block.height >= top);
  const end = firstIndex(blocks, (block) => block.top > bottom);
  return blocks.slice(first, Math.max(first, end));
}

/** The rows of a block that reach into a part of the page; `end` is exclusive. */
export function rowsBetween(
  block: Block,
  { tile, gap, title }: Pick<Measures, "tile" | "gap" | "title">,
  top: number,
  bottom: number,
): { start: number; end: number } {
  const rows = Math.ceil(block.count / block.columns);
  const at = (place: number): number => Math.floor((place - block.top - title) / (tile + gap));
  const start = Math.min(rows, Math.max(0, at(top)));
  return { start, end: Math.max(start, Math.min(rows, at(bottom) + 1)) };
}

/** Place of one photo, for scrolling to it. */
export function placeOf(
  { blocks, tile }: Layout,
  { gap, title }: Pick<Measures, "gap" | "title">,
  index: number,
  position: number,
): { top: number; bottom: number } | null {
  const block = blocks.find((candidate) => candidate.index === index);
  if (!block) return null;
  const top = block.top + title + Math.floor(position / block.columns) * (tile + gap);
  return { top, bottom: top + tile };
}

/** The first index for which the test holds, or the length; it must hold for all later ones. */
function firstIndex<Item>(items: readonly Item[], test: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(items[middle] as Item)) high = middle;
    else low = middle + 1;
  }
  return low;
}

interface YearMark {
  year: string;
  /** Place of its first photo, as a share of the whole height. */
  at: number;
}

/** The years of a scrubber. Marks closer than the given share of the height are left out. */
export function yearMarks({ blocks, height }: Layout, apart: number): YearMark[] {
  const marks: YearMark[] = [];
  for (const { key, top } of blocks) {
    const year = /^\d/.test(key) ? key.slice(0, 4) : "";
    const last = marks.at(-1);
    if (year === "" || last?.year === year) continue;
    const at = top / height;
    if (!last || at - last.at >= apart) marks.push({ year, at });
  }
  return marks;
}
