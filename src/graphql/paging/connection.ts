import {
  Field,
  ObjectType,
  Extensions,
  FieldResolver,
  Int,
  Resolver,
  Root,
  type ClassType,
} from "type-graphql";

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
export const MAX_COUNTED = 10_000;

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

@ObjectType({ simpleResolvers: true, description: "Forward paging only." })
class PageInfo {
  @Field(() => Boolean, { description: "Whether rows follow this page." })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: "True when `after` was given." })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the first row; null on an empty page.",
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the last row, to be passed as `after`; null on an empty page.",
  })
  endCursor!: string | null;
}

/**
 * The types `<name>Edge` and `<name>Connection` of a list of `node`, and the resolver of its count.
 */
export function defineConnectionType(name: string, node: ClassType) {
  @ObjectType(`${name}Edge`, { simpleResolvers: true, description: `A ${name} in a list.` })
  class EdgeType {
    @Field(() => String, {
      description: "Where this row stands: pass it as `after` to go on behind it.",
    })
    cursor!: string;

    @Field(() => node, { description: `The ${name}.` })
    node!: unknown;
  }

  @ObjectType(`${name}Connection`, {
    simpleResolvers: true,
    description: `A page of a list of ${name}s.`,
  })
  class ConnectionType {
    @Field(() => [EdgeType], { description: "The rows, each with its cursor." })
    edges!: EdgeType[];

    @Field(() => [node], {
      description:
        "The nodes of `edges`, for those who need no cursor per row. Caches that merge " +
        "pages (`relayStylePagination`) merge `edges` only.",
    })
    nodes!: unknown[];

    @Field(() => PageInfo, { description: "Whether and where the list goes on." })
    pageInfo!: PageInfo;
  }

  @Resolver(() => ConnectionType)
  class ConnectionResolver {
    // It looks at up to 10,000 rows.
    @Extensions({ cost: 1000 })
    @FieldResolver(() => Int, {
      description: "How many rows the whole list has; exact up to 10,000, and stops there.",
    })
    totalCount(@Root() connection: Connection<unknown>): Promise<number> {
      return connection.countTotal();
    }
  }

  return { ConnectionType, ConnectionResolver };
}
