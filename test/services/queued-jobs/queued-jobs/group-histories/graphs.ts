// Graphs of groups: chains, fans, diamonds and anything between.
import * as fc from "fast-check";
import type { GroupSubmission } from "../../../../../src/services/queued-jobs/groups/check-group.js";
import { groupOf } from "../../../../support/service/group-of.js";

/** Nodes in an order in which each follows only earlier ones. */
export interface Graph {
  nodes: { follows: number[]; takesPhotos: boolean; runsAnyway: boolean }[];
  /** Submits successors before their predecessors. */
  isReversed: boolean;
}

const MAX_NODES = 8;
/** The test Job takes at most this number of photos. */
const MAX_SOURCES = 3;

const SHAPES: Record<string, (node: number, last: number) => number[]> = {
  none: () => [],
  chain: (node) => (node === 0 ? [] : [node - 1]),
  fanOut: (node) => (node === 0 ? [] : [0]),
  fanIn: (node, last) => (node < last ? [] : earlier(node)),
  diamond: (node, last) => (node < last ? [0].slice(0, node) : earlier(node).slice(1)),
};

const earlier = (node: number): number[] => Array.from({ length: node }, (_, i) => i);

const traits = fc.record({
  takesPhotos: fc.boolean(),
  // Most wait for a success, so that failures spread.
  runsAnyway: fc.nat(3).map((n) => n === 0),
});

const shaped = fc
  .tuple(
    fc.constantFrom(...Object.values(SHAPES)),
    fc.array(traits, { minLength: 1, maxLength: MAX_NODES }),
  )
  .map(([shape, nodes]) =>
    nodes.map((node, i) => ({ ...node, follows: shape(i, nodes.length - 1) })),
  );

const free = fc
  .array(fc.tuple(traits, fc.array(fc.nat(MAX_NODES), { maxLength: 3 })), {
    minLength: 1,
    maxLength: MAX_NODES,
  })
  .map((nodes) =>
    nodes.map(([node, picks], i) => ({
      ...node,
      follows: i === 0 ? [] : [...new Set(picks.map((pick) => pick % i))],
    })),
  );

export const graphs: fc.Arbitrary<Graph> = fc.record({
  nodes: fc.oneof(shaped, free),
  isReversed: fc.boolean(),
});

/** A group of jobs that make one picture each. Nodes without sources take the photo. */
export function toSubmission({ nodes, isReversed }: Graph, photoId: string): GroupSubmission {
  const keyOf = (node: number) => `n${node}`;
  const jobs = nodes.map(({ follows, takesPhotos, runsAnyway }, i) => {
    const takes = takesPhotos && follows.length > 0 && follows.length <= MAX_SOURCES;
    const keys = follows.map(keyOf);
    const job = {
      job: "album",
      photoIds: takes ? [] : [photoId],
      photosFrom: takes ? keys.map((key) => ({ key, outputs: null })) : [],
      after: takes ? [] : keys,
      runsAnyway,
    };
    return [keyOf(i), job] as const;
  });
  return groupOf(Object.fromEntries(isReversed ? jobs.toReversed() : jobs));
}
