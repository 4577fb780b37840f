import { Kind } from "graphql";
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from "graphql";
import type * as GraphqlJit from "graphql-jit";
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
  /** Of what comes often; null when it cannot be compiled. */
  compiled?: CompiledQuery["query"] | null | undefined;
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
  const compiler = createCompiler(schema);
  const keyOf = ({ query, operationName }: OperationText) => `${operationName ?? ""}\n${query}`;

  return {
    add(text: OperationText, { document, operation }: Pick<KnownOperation, "document" | "operation">): void {
      const key = keyOf(text);
      if (!known.has(key)) known.set(key, { document, operation, mediaTypes: new Map(), uses: 0 });
    },
    find: (text: OperationText): KnownOperation | undefined => known.get(keyOf(text)),
    /** What executes it faster; null for what is not worth it. */
    compiled(found: KnownOperation): CompiledQuery["query"] | null {
      if (!isCompilable(found.operation) || ++found.uses < USES_BEFORE_COMPILED) return null;
      if (found.compiled === undefined) found.compiled = compiler.compile(found);
      return found.compiled ?? null;
    },
  };
}

/** Of several fields of a mutation graphql-js begins none behind one that failed; the compiled one would. */
function isCompilable({ operation, selectionSet: { selections } }: OperationDefinitionNode): boolean {
  return operation === "query" || (selections.length === 1 && selections[0]?.kind === Kind.FIELD);
}

/** The compiler, which is loaded with the first operation that comes often. */
function createCompiler(schema: GraphQLSchema) {
  let jit: typeof GraphqlJit | undefined;
  let loading = false;

  function load(): void {
    if (loading) return;
    loading = true;
    // One that cannot be loaded leaves all to graphql-js.
    import("graphql-jit").then((loaded) => (jit = loaded), () => {});
  }

  return {
    /** Undefined until the compiler is there. */
    compile({ document, operation }: KnownOperation): CompiledQuery["query"] | null | undefined {
      if (!jit) return void load();
      const made = jit.compileQuery(schema, document, operation.name?.value ?? "");
      return jit.isCompiledQuery(made) ? made.query : null;
    },
  };
}
