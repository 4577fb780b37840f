import type { SeededRandom } from "../../support/runner/seeded-random.js";

/** One job of a group, as it is submitted. */
export interface GroupJob {
  key: string;
  job: "echo" | "scrub" | "thumbnail";
  parameters: {
    message?: string;
    failPermanently?: boolean;
    widths?: number[];
    durationMs?: number;
  };
  photoIds?: string[];
  photosFrom?: { key: string }[];
  after?: string[];
  ifPredecessorFails?: "CANCEL" | "RUN";
}

type Shape = (random: SeededRandom, size: number) => number[][];

/** For each node, the earlier nodes that it follows. */
const SHAPES: readonly Shape[] = [
  (_, size) => nodes(size, () => []),
  (_, size) => nodes(size, (i) => (i === 0 ? [] : [i - 1])),
  (_, size) => nodes(size, (i) => (i === 0 ? [] : [0])),
  (_, size) => nodes(size, (i) => (i < size - 1 ? [] : nodes(i, (k) => k))),
  // A diamond.
  (_, size) => nodes(size, (i) => (i < size - 1 ? [0].slice(0, i) : nodes(i, (k) => k).slice(1))),
  (random, size) => nodes(size, (i) => nodes(i, (k) => k).filter(() => random.chance(0.4))),
];

function nodes<T>(size: number, make: (i: number) => T): T[] {
  return Array.from({ length: size }, (_, i) => make(i));
}

/** A few jobs in a random graph; some fail. */
export function makeGroup(random: SeededRandom, photoId: string): GroupJob[] {
  if (random.chance(0.02)) return makePhotoChain(photoId);
  const size = random.chance(0.02) ? random.int(20, 60) : random.int(1, 6);
  const follows = random.pick(SHAPES)(random, size);
  const jobs = follows.map((list, i): GroupJob => ({
    key: `n${i}`,
    job: "echo",
    parameters: {
      message: `n${i}`,
      durationMs: random.chance(0.5) ? 0 : random.int(1, 200),
      ...(random.chance(0.06) && { failPermanently: true }),
    },
    after: list.map((node) => `n${node}`),
    ifPredecessorFails: random.chance(0.25) ? "RUN" : "CANCEL",
  }));
  return random.chance(0.3) ? jobs.toReversed() : jobs;
}

/** A photo that is handed over inside the service. */
function makePhotoChain(photoId: string): GroupJob[] {
  return [
    { key: "clean", job: "scrub", parameters: {}, photoIds: [photoId] },
    {
      key: "small",
      job: "thumbnail",
      parameters: { widths: [64] },
      photosFrom: [{ key: "clean" }],
    },
  ];
}

/** Keys of the jobs that must finish before this one. */
export function sourcesOf({ after = [], photosFrom = [] }: GroupJob): string[] {
  return [...after, ...photosFrom.map(({ key }) => key)];
}
