/** A colour and the share of the picture that it represents. */
export interface Weighted {
  color: Oklab;
  weight: number;
}

/** Colours closer than this look the same, so no second centre is placed so close. */
const NEAR = 0.03;
const MAX_ROUNDS = 50;

/**
 * At most `count` clusters of the colours, each with its mean and its weight. The result is
 * deterministic: the first centre is the heaviest colour. Each next centre is the colour with the
 * greatest weight times squared distance from all centres.
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

/** The first point with the greatest score; undefined when no score is above zero. */
function best(points: Weighted[], score: (point: Weighted) => number): Weighted | undefined {
  let winner: Weighted | undefined;
  let highest = 0;
  for (const point of points) {
    const current = score(point);
    if (current > highest) [winner, highest] = [point, current];
  }
  return winner;
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

// Björn Ottosson, "A perceptual color space for image processing":
// https://bottosson.github.io/posts/oklab/

/**
 * L (0 to 1), a and b. Equal distances look equally different; a distance of 0.02 is just visible.
 */
type Oklab = [lightness: number, a: number, b: number];

/** The channels are sRGB from 0 to 255. */
export function oklabOf(red: number, green: number, blue: number): Oklab {
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const medium = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

/** The colour as `#rrggbb`; values outside sRGB are clipped. */
export function hexOf([lightness, a, b]: Oklab): string {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const channels = [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
  return `#${channels.map((channel) => encoded(channel).toString(16).padStart(2, "0")).join("")}`;
}

/** IEC 61966-2-1: converts sRGB to linear light; `encoded` converts back. */
function linear(value: number): number {
  const part = value / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}

function encoded(light: number): number {
  const part = Math.min(1, Math.max(0, light));
  return Math.round(255 * (part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055));
}
