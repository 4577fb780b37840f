/** For each job of a group, the places of the earlier jobs that it follows. */
export type Shape = (place: number, size: number) => number[];

/** Number of layers of a mixed group, and of jobs that each follows in the layer before. */
const LAYERS = 20;
const FOLLOWED = 3;

/** The shapes of a public measurement of pg-boss (pull request 777), in groups. */
export const SHAPES = {
  "fan-out": (place) => (place === 0 ? [] : [0]),
  "fan-in": (place, size) => (place < size - 1 ? [] : Array.from({ length: place }, (_, i) => i)),
  chain: (place) => (place === 0 ? [] : [place - 1]),
  mixed(place, size) {
    const width = Math.ceil(size / LAYERS);
    const layer = Math.floor(place / width);
    if (layer === 0) return [];
    const first = (layer - 1) * width;
    const followed = Math.min(FOLLOWED, width);
    return Array.from({ length: followed }, (_, i) => first + ((place + i) % width));
  },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof SHAPES;
