import type { PageInfo } from "./page-info.type.js";

/** A page of a list, as resolvers return it; `totalCount` is counted only when it is asked for. */
export interface Connection<Row> {
  edges: { cursor: string; node: Row }[];
  nodes: Row[];
  pageInfo: PageInfo;
  countTotal: () => Promise<number>;
}

/** `totalCount` is exact up to it, and stops there. */
export const MOST_COUNTED = 10_000;

export function createConnection<Row>(page: { rows: Row[]; hasMore: boolean; isFirst: boolean; cursorOf(row: Row): string; countTotal(): Promise<number> }): Connection<Row> {
  const edges = page.rows.map((node) => ({ cursor: page.cursorOf(node), node }));
  return {
    edges,
    nodes: page.rows,
    pageInfo: { hasNextPage: page.hasMore, hasPreviousPage: !page.isFirst, startCursor: edges[0]?.cursor ?? null, endCursor: edges.at(-1)?.cursor ?? null },
    countTotal: () => page.countTotal(),
  };
}
