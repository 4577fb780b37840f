// Moving through photos that lie in days: the arrow keys, and the neighbours of a photo.
import type { Block, Layout } from "./layout.js";

/** A photo by its place: the index of its day among the heads, and its position in the day. */
export interface Place {
  index: number;
  position: number;
}

export const comparePlaces = (a: Place, b: Place): number =>
  a.index - b.index || a.position - b.position;

/** The photo before or behind another; null at the ends. */
export function besides(
  counts: readonly { count: number }[],
  { index, position }: Place,
  step: 1 | -1,
): Place | null {
  const next = position + step;
  if (next >= 0 && next < (counts[index]?.count ?? 0)) return { index, position: next };
  for (let i = index + step; i >= 0 && i < counts.length; i += step) {
    const { count } = counts[i] as { count: number };
    if (count > 0) return { index: i, position: step > 0 ? 0 : count - 1 };
  }
  return null;
}

/** The photo above or below another, in the nearest column. */
export function acrossRows({ blocks }: Layout, place: Place, step: 1 | -1): Place | null {
  const at = blocks.findIndex(({ index }) => index === place.index);
  const block = blocks[at];
  if (!block) return null;
  const next = place.position + step * block.columns;
  if (next >= 0 && next < block.count) return { index: block.index, position: next };
  const [row, lastRow] = [rowOf(block, place.position), rowOf(block, block.count - 1)];
  // The last row may be shorter than the column is far.
  if (step > 0 && row < lastRow) return { index: block.index, position: block.count - 1 };
  const x = block.left + (place.position % block.columns) * widthOf(block);
  const target = nearest(blocks, at, step, x);
  if (!target) return null;
  const column = Math.min(
    target.columns - 1,
    Math.max(0, Math.round((x - target.left) / widthOf(target))),
  );
  const first = step > 0 ? 0 : rowOf(target, target.count - 1) * target.columns;
  return { index: target.index, position: Math.min(target.count - 1, first + column) };
}

const rowOf = ({ columns }: Block, position: number): number => Math.floor(position / columns);
const widthOf = ({ width, columns }: Block): number => width / columns;

/** The block of the next line whose left edge is the closest. */
function nearest(blocks: readonly Block[], at: number, step: 1 | -1, x: number): Block | undefined {
  const { top } = blocks[at] as Block;
  let i = at;
  while (blocks[i]?.top === top) i += step;
  const line = blocks[i]?.top;
  const candidates: Block[] = [];
  for (; line !== undefined && blocks[i]?.top === line; i += step)
    candidates.push(blocks[i] as Block);
  return candidates.sort((a, b) => distance(a, x) - distance(b, x))[0];
}

function distance({ left, width }: Block, x: number): number {
  if (x < left) return left - x;
  return x > left + width ? x - left - width : 0;
}
