import "reflect-metadata";
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
import type { Page } from "../../services/reads/page.js";

interface Edge<Row> {
  readonly cursor: string;
  node: Row;
}

/** A page of a list, as resolvers return it. Rows are counted only if `totalCount` is selected. */
export interface Connection<Row> {
  edges: Edge<Row>[];
  nodes: Row[];
  pageInfo: PageInfo;
  countTotal: () => Promise<number>;
}

/** Counting stops here: a `totalCount` of this value means "this many or more". */
export const MAX_COUNTED = 10_000;

export function createConnection<Row>({
  page,
  ...list
}: {
  page: Page<Row>;
  cursorOf(row: Row): string;
  countTotal(): Promise<number>;
}): Connection<Row> {
  const edges = createEdges(page.rows, (row) => list.cursorOf(row));
  return {
    edges,
    nodes: page.rows,
    pageInfo: {
      hasNextPage: page.hasNext,
      hasPreviousPage: page.hasPrevious,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    countTotal: () => list.countTotal(),
  };
}

/**
 * A cursor is computed on access, since it is seldom selected. All edges inherit one getter: a
 * getter for each edge would cost as much as its cursor.
 */
function createEdges<Row>(rows: Row[], cursorOf: (row: Row) => string): Edge<Row>[] {
  const inherited = {
    get cursor() {
      return cursorOf((this as unknown as Edge<Row>).node);
    },
  };
  return rows.map((node) => Object.assign(Object.create(inherited), { node }));
}

@ObjectType({
  simpleResolvers: true,
  description:
    "Where a page is in its list. Rows keep their order in both directions: `first` with `after` " +
    "reads the next page, `last` with `before` the previous one.",
})
class PageInfo {
  @Field(() => Boolean, {
    description: "True if rows follow this page, whichever direction it was read in.",
  })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description: "True if rows precede this page, whichever direction it was read in.",
  })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the first row: pass it as `before`. Null on an empty page.",
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the last row: pass it as `after`. Null on an empty page.",
  })
  endCursor!: string | null;
}

/** Defines the types `<name>Edge` and `<name>Connection`, and the resolver of `totalCount`. */
export function defineConnectionType(name: string, node: ClassType) {
  @ObjectType(`${name}Edge`, { simpleResolvers: true, description: `A ${name} in a list.` })
  class EdgeType {
    @Field(() => String, {
      description:
        "Position of this row: pass it as `after` to continue behind it, or as `before` to read " +
        "the rows in front of it.",
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
        "The nodes of `edges`, for clients that need no cursor per row. Caches that merge " +
        "pages (`relayStylePagination`) merge `edges` only.",
    })
    nodes!: unknown[];

    @Field(() => PageInfo, { description: "Where to continue in the list." })
    pageInfo!: PageInfo;
  }

  @Resolver(() => ConnectionType)
  class ConnectionResolver {
    // The statement counts up to 10,000 rows.
    @Extensions({ cost: 1000 })
    @FieldResolver(() => Int, {
      description: "Number of rows in the whole list. Counting stops at 10,000.",
    })
    totalCount(@Root() connection: Connection<unknown>): Promise<number> {
      return connection.countTotal();
    }
  }

  return { ConnectionType, ConnectionResolver };
}
