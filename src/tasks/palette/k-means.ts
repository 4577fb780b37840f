import type { Oklab } from "./oklab.js";

/** A colour and how much of the picture it stands for. */
export interface Weighted {
  color: Oklab;
  weight: number;
}

/** Colours nearer than this are one to the eye: no second centre is put beside a first. */
const NEAR = 0.03;
const MAX_ROUNDS = 50;

/**
 * At most `count` clusters of the colours, each as its mean and its weight. Without random numbers:
 * the first centre is the heaviest colour, each next one that for which weight times squared
 * distance from all centres is greatest.
 */
export function kMeans(points: Weighted[], count: number): Weighted[] {
  let centres = seeds(points, count);
  let nearest: number[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = points.map(({ color }) => nearestOf(color, centres));
    if (next.every((index, at) => index === nearest[at])) break;
    nearest = next;
    centres = centres.map((centre, index) => mean(members(points, nearest, index)) ?? centre);
  }
  return centres
    .map((color, index) => ({ color, weight: total(members(points, nearest, index)) }))
    .filter(({ weight }) => weight > 0);
}

function seeds(points: Weighted[], count: number): Oklab[] {
  const first = best(points, ({ weight }) => weight);
  const centres = first ? [first.color] : [];
  while (centres.length < count) {
    const next = best(
      points,
      ({ color, weight }) =>
        weight * beyondNear(Math.min(...centres.map((centre) => squaredDistance(color, centre)))),
    );
    if (!next) break;
    centres.push(next.color);
  }
  return centres;
}

function beyondNear(squared: number): number {
  return squared > NEAR ** 2 ? squared : 0;
}

/** The first of the greatest; undefined when none is above zero. */
function best(points: Weighted[], score: (point: Weighted) => number): Weighted | undefined {
  let found: Weighted | undefined;
  let highest = 0;
  for (const point of points) {
    const own = score(point);
    if (own > highest) [found, highest] = [point, own];
  }
  return found;
}

function nearestOf(color: Oklab, centres: Oklab[]): number {
  const distances = centres.map((centre) => squaredDistance(color, centre));
  return distances.indexOf(Math.min(...distances));
}

function members(points: Weighted[], nearest: number[], index: number): Weighted[] {
  return points.filter((_, at) => nearest[at] === index);
}

function mean(points: Weighted[]): Oklab | null {
  const weight = total(points);
  if (weight === 0) return null;
  const along = (axis: 0 | 1 | 2) =>
    points.reduce((sum, point) => sum + point.color[axis] * point.weight, 0) / weight;
  return [along(0), along(1), along(2)];
}

function total(points: Weighted[]): number {
  return points.reduce((sum, { weight }) => sum + weight, 0);
}

function squaredDistance(one: Oklab, other: Oklab): number {
  return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2;
}
