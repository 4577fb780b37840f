import type { TaskContext } from "../define-task.js";
import { readPreview } from "../photo-work.js";
import type { PaletteParameters } from "./task.js";
import type { DecodedPhoto } from "../../imaging/pixels/decode-photo.js";
import { type Pixels, shrinkToFit } from "../../imaging/pixels/pixels.js";
import { kMeans, type Weighted, hexOf, oklabOf } from "./k-means.js";

export async function run(context: TaskContext<PaletteParameters>) {
  const preview = await readPreview(context);
  context.progress(0.5, "grouping the colours");
  const result = await paletteOf(preview, context.parameters);
  context.progress(1, "done");
  return result;
}

/** Maximum pixels of the longer side. */
const SIDE = 100;
const CLEAR: Swatch = { hex: "#000000", population: 1 };

interface Swatch {
  hex: string;
  /** Share of the picture, 0 to 1. */
  population: number;
}

/**
 * At most `colors` swatches from a preview of the photo; fewer when it has fewer colours. A fully
 * transparent picture gives black, like its average colour.
 */
export async function paletteOf(
  { pixels, warnings }: DecodedPhoto,
  { colors }: { colors: number },
) {
  const swatches = swatchesOf(kMeans(binsOf(await shrinkToFit(pixels, SIDE)), colors));
  const [first = CLEAR] = swatches;
  return {
    dominant: first.hex,
    swatches: swatches.length > 0 ? swatches : [CLEAR],
    ...(warnings.length > 0 && { warnings }),
  };
}

function swatchesOf(clusters: Weighted[]): Swatch[] {
  const whole = clusters.reduce((sum, { weight }) => sum + weight, 0);
  const populations = new Map<string, number>();
  for (const { color, weight } of clusters) {
    const hex = hexOf(color);
    populations.set(hex, (populations.get(hex) ?? 0) + weight / whole);
  }
  return [...populations]
    .map(([hex, population]) => ({ hex, population }))
    .sort((one, other) => other.population - one.population);
}

/**
 * The mean of all pixels that agree in the upper five bits of each channel, weighted by opacity.
 */
function binsOf({ data, channels }: Pixels): Weighted[] {
  const bins = new Map<number, { sums: [number, number, number]; weight: number }>();
  for (let at = 0; at < data.length; at += channels) {
    const [red = 0, green = 0, blue = 0, alpha = 255] = data.subarray(at, at + channels);
    const key = ((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3);
    const bin = bins.get(key) ?? { sums: [0, 0, 0], weight: 0 };
    if (bin.weight === 0) bins.set(key, bin);
    oklabOf(red, green, blue).forEach(
      (value, axis) => (bin.sums[axis as 0 | 1 | 2] += value * alpha),
    );
    bin.weight += alpha;
  }
  return [...bins.values()]
    .filter(({ weight }) => weight > 0)
    .map(({ sums: [l, a, b], weight }) => ({
      color: [l / weight, a / weight, b / weight],
      weight,
    }));
}
