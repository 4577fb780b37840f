import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  blocksBetween,
  layOut,
  placeOf,
  rowsBetween,
  yearMarks,
  type Head,
} from "../../../src/console/grid/layout.js";
import { acrossRows, besides } from "../../../src/console/grid/steps.js";

/** Five columns of 100 pixels. */
const MEASURES = { width: 516, tile: 100, gap: 4, title: 40, below: 10 };
const heads = (...counts: number[]): Head[] =>
  counts.map((count, i) => ({ key: `20${String(30 - i).padStart(2, "0")}-01-01`, count }));
const boxes = (...counts: number[]) =>
  layOut(heads(...counts), MEASURES).blocks.map(({ top, left, height }) => [top, left, height]);

describe("the layout of the grid", () => {
  it("fills the width with whole columns, at least three", () => {
    const { columns, tile } = layOut(heads(1), MEASURES);
    assert.deepEqual([columns, tile], [5, 100]);
    assert.equal(layOut(heads(1), { ...MEASURES, width: 200 }).columns, 3);
  });

  it("lets short days share a line, and gives a longer one its own", () => {
    assert.deepEqual(boxes(2, 3, 1, 11), [
      [0, 0, 140],
      [0, 208, 140],
      [150, 0, 140],
      [300, 0, 40 + 3 * 100 + 2 * 4],
    ]);
  });

  it("leaves out days without photos, and has no height without any", () => {
    assert.equal(boxes(0, 2).length, 1);
    assert.equal(layOut([], MEASURES).height, 0);
  });

  it("finds what is in sight as a search through all blocks does", () => {
    const layout = layOut(
      heads(...Array.from({ length: 500 }, (_, i) => 1 + ((i * 7) % 23))),
      MEASURES,
    );
    for (let top = -100; top < layout.height + 100; top += 333) {
      const bottom = top + 700;
      const expected = layout.blocks.filter(
        (block) => block.top + block.height >= top && block.top <= bottom,
      );
      const drawn = blocksBetween(layout, top, bottom);
      for (const block of expected) assert.ok(drawn.includes(block));
      assert.ok(drawn.length <= expected.length + 5);
    }
  });

  it("draws only the rows in sight of a long day", () => {
    const { blocks, tile } = layOut(heads(1000), MEASURES);
    const [block] = blocks;
    assert.ok(block);
    assert.deepEqual(rowsBetween(block, { ...MEASURES, tile }, 1040, 1600), { start: 9, end: 16 });
    assert.deepEqual(rowsBetween(block, { ...MEASURES, tile }, -500, -10), { start: 0, end: 0 });
    assert.equal(rowsBetween(block, { ...MEASURES, tile }, 0, 1e9).end, 200);
  });

  it("marks years that lie far enough apart", () => {
    const layout = layOut(heads(50, 1, 50, 50), MEASURES);
    assert.deepEqual(
      yearMarks(layout, 0.1).map(({ year }) => year),
      ["2030", "2029", "2027"],
    );
  });
});

describe("steps through the grid", () => {
  const counts = heads(2, 3, 7);
  const layout = layOut(counts, MEASURES);

  it("lead from day to day, and end at the ends", () => {
    assert.deepEqual(besides(counts, { index: 0, position: 1 }, 1), { index: 1, position: 0 });
    assert.deepEqual(besides(counts, { index: 2, position: 0 }, -1), { index: 1, position: 2 });
    assert.equal(besides(counts, { index: 0, position: 0 }, -1), null);
    assert.equal(besides(counts, { index: 2, position: 6 }, 1), null);
  });

  it("keep to the column up and down, also where days share a line", () => {
    const down = (index: number, position: number) => acrossRows(layout, { index, position }, 1);
    const up = (index: number, position: number) => acrossRows(layout, { index, position }, -1);
    assert.deepEqual(down(1, 1), { index: 2, position: 3 });
    assert.deepEqual(down(2, 1), { index: 2, position: 6 });
    assert.deepEqual(down(2, 4), { index: 2, position: 6 });
    assert.equal(down(2, 6), null);
    assert.deepEqual(up(2, 3), { index: 1, position: 1 });
    assert.deepEqual(up(2, 0), { index: 0, position: 0 });
    assert.equal(up(1, 0), null);
  });

  it("find the place of a photo", () => {
    assert.deepEqual(placeOf(layout, MEASURES, 2, 5), { top: 294, bottom: 394 });
    assert.equal(placeOf(layout, MEASURES, 9, 0), null);
  });
});
