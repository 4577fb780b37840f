import type { PageInfo } from "./page-info.type.js";

interface Edge<Row> {
  readonly cursor: string;
  node: Row;
}

/** A page of a list, as resolvers return it; `totalCount` is counted only when it is asked for. */
export interface Connection<Row> {
  edges: Edge<Row>[];
  nodes: Row[];
  pageInfo: PageInfo;
  countTotal: () => Promise<number>;
}

/** `totalCount` is exact up to it, and stops there. */
export const MOST_COUNTED = 10_000;

export function createConnection<Row>(page: {
  rows: Row[];
  hasMore: boolean;
  isFirst: boolean;
  cursorOf(row: Row): string;
  countTotal(): Promise<number>;
}): Connection<Row> {
  const edges = createEdges(page.rows, (row) => page.cursorOf(row));
  return {
    edges,
    nodes: page.rows,
    pageInfo: {
      hasNextPage: page.hasMore,
      hasPreviousPage: !page.isFirst,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    countTotal: () => page.countTotal(),
  };
}

/**
 * A cursor is made when it is asked for, which is seldom. By what all edges inherit: an accessor
 * for each would cost as much as its cursor.
 */
function createEdges<Row>(rows: Row[], cursorOf: (row: Row) => string): Edge<Row>[] {
  const inherited = {
    get cursor() {
      return cursorOf((this as unknown as Edge<Row>).node);
    },
  };
  return rows.map((node) => Object.assign(Object.create(inherited), { node }));
}
