import type { SeededRandom } from "../../support/runner/seeded-random.js";

/** Fields that lead from one type to another, as GraphQL text; pages lead to their nodes' type. */
const WAYS: Record<string, { text: (size: string, below: string) => string; to: string }[]> = {
  Query: [
    { text: (size, below) => `photos(${size}) { nodes { ${below} } }`, to: "Photo" },
    {
      text: (size, below) => `queuedJobs(${size}) { totalCount nodes { ${below} } }`,
      to: "QueuedJob",
    },
    {
      text: (size, below) => `me { queuedJobs(${size}) { nodes { ${below} } } }`,
      to: "QueuedJob",
    },
  ],
  Photo: [
    {
      text: (size, below) => `queuedJobs(${size}) { totalCount nodes { ${below} } }`,
      to: "QueuedJob",
    },
  ],
  QueuedJob: [
    { text: (_, below) => `photos { ${below} }`, to: "Photo" },
    { text: (_, below) => `history { type queuedJob { ${below} } }`, to: "QueuedJob" },
    {
      text: (_, below) => `parameters result outputs { name url } photos { ${below} }`,
      to: "Photo",
    },
  ],
};

/** Builds a document of nested lists with aliases, of random depth and width. */
export function nestLists(random: SeededRandom): string {
  const size = () => `${random.pick(["first", "last"])}: ${random.pick([1, 2, 10, 100])}`;
  function below(type: string, depth: number): string {
    const ways = WAYS[type] ?? [];
    if (depth === 0 || ways.length === 0) return "id";
    const { text, to } = random.pick(ways);
    return `id ${text(size(), below(to, depth - 1))}`;
  }
  const roots = Array.from({ length: 1 + random.below(19) }, (_, i) => {
    const { text, to } = random.pick(WAYS["Query"] ?? []);
    return `a${i}: ${text(size(), below(to, random.below(5)))}`;
  });
  return `{ ${roots.join(" ")} }`;
}
