// The graph of a group: which of its jobs follow which.
import type { InputIssue } from "../../../domain/errors.js";

export interface GraphNode {
  key: string;
  photosFrom: readonly { key: string }[];
  after: readonly string[];
}

export interface Graph {
  /** Indexes with predecessors before successors; incomplete if `issues` has a cycle. */
  order: number[];
  /** Unknown keys, a source that is listed twice, and one edge of each cycle found. */
  issues: InputIssue[];
  indexOf(key: string): number | undefined;
}

interface Edge {
  to: number;
  path: (string | number)[];
}

export function createGraph(nodes: readonly GraphNode[]): Graph {
  const indexes = new Map(nodes.map(({ key }, i) => [key, i] as const).toReversed());
  const issues: InputIssue[] = [];
  const edges = nodes.map((node, i) => readEdges(node, i, indexes, issues));
  const order = sort(edges, issues);
  return { order, issues, indexOf: (key) => indexes.get(key) };
}

function readEdges(
  { photosFrom, after }: GraphNode,
  i: number,
  indexes: ReadonlyMap<string, number>,
  issues: InputIssue[],
): Edge[] {
  const given = [
    ...photosFrom.map(({ key }, k) => ({ key, path: ["jobs", i, "photosFrom", k, "key"] })),
    ...after.map((key, k) => ({ key, path: ["jobs", i, "after", k] })),
  ];
  const sources = photosFrom.map(({ key }) => key);
  for (const [k, key] of sources.entries())
    if (sources.indexOf(key) < k)
      issues.push({ path: ["jobs", i, "photosFrom", k, "key"], message: "is listed twice" });
  return given.flatMap(({ key, path }) => {
    const to = indexes.get(key);
    if (to !== undefined) return [{ to, path }];
    issues.push({ path, message: `there is no job with the key "${key.slice(0, 100)}"` });
    return [];
  });
}

/**
 * Sorts by depth-first search, in the given order where the edges allow it. An edge to a node that
 * is still on the path closes a cycle.
 */
function sort(edges: readonly Edge[][], issues: InputIssue[]): number[] {
  const order: number[] = [];
  const states = new Map<number, "open" | "done">();

  function visit(node: number): void {
    states.set(node, "open");
    for (const { to, path } of edges[node] ?? []) {
      const state = states.get(to);
      if (state === "open") issues.push({ path, message: "closes a cycle" });
      else if (state === undefined) visit(to);
    }
    states.set(node, "done");
    order.push(node);
  }

  for (const node of edges.keys()) if (!states.has(node)) visit(node);
  return order;
}
