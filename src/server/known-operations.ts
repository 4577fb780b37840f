import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from "graphql";
import { compileQuery, isCompiledQuery } from "graphql-jit";
import type { CompiledQuery } from "graphql-jit";
import { LRUCache } from "lru-cache";

/** As a request names it. */
export interface OperationText {
  query: string;
  operationName?: string | null | undefined;
}

export interface KnownOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The media type in which it was answered, by what was accepted. */
  mediaTypes: Map<string | undefined, string>;
  /** Of a query that comes often; null when it cannot be compiled. */
  compiled?: CompiledQuery["query"] | null;
  uses: number;
}

export type KnownOperations = ReturnType<typeof createKnownOperations>;

const MOST = 500;
const MOST_CHARACTERS = 4 * 1024 * 1024;
/** To compile costs as much as to validate, so that whoever makes up new documents gets no more work out of us. */
const USES_BEFORE_COMPILED = 10;

/** Operations that were parsed, validated and measured: what can be wrong with them is only their variables. */
export function createKnownOperations(schema: GraphQLSchema) {
  const known = new LRUCache<string, KnownOperation>({ max: MOST, maxSize: MOST_CHARACTERS, sizeCalculation: (_, key) => key.length });
  const keyOf = ({ query, operationName }: OperationText) => `${operationName ?? ""}\n${query}`;

  return {
    add(text: OperationText, { document, operation }: Pick<KnownOperation, "document" | "operation">): void {
      const key = keyOf(text);
      if (!known.has(key)) known.set(key, { document, operation, mediaTypes: new Map(), uses: 0 });
    },
    find: (text: OperationText): KnownOperation | undefined => known.get(keyOf(text)),
    /** What executes it faster; null for what is not worth it, or is no query: of these alone a second try does no harm. */
    compiled(found: KnownOperation): CompiledQuery["query"] | null {
      if (found.operation.operation !== "query" || ++found.uses < USES_BEFORE_COMPILED) return null;
      if (found.compiled === undefined) {
        const made = compileQuery(schema, found.document, found.operation.name?.value ?? "");
        found.compiled = isCompiledQuery(made) ? made.query : null;
      }
      return found.compiled;
    },
  };
}
