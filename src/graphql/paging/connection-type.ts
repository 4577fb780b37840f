import {
  Extensions,
  Field,
  FieldResolver,
  Int,
  ObjectType,
  Resolver,
  Root,
  type ClassType,
} from "type-graphql";
import type { Connection } from "./connection.js";
import { PageInfo } from "./page-info.type.js";

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
