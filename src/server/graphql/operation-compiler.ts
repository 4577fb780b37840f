import {
  BREAK,
  Kind,
  getOperationAST,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from "graphql";
import type * as GraphqlJit from "graphql-jit";
import type { CompiledQuery } from "graphql-jit";

/** Runs an operation on a root value. Beware: its errors lack fields that graphql-js sets. */
export type CompiledOperation = CompiledQuery["query"];

/**
 * Returns null for an operation that is not compiled, or not yet. Call it for each execution, since
 * it counts them.
 */
export type OperationCompiler = (
  document: DocumentNode,
  operationName: string | null | undefined,
) => CompiledOperation | null;

/**
 * Compiling costs as much as validating. The threshold keeps clients that send new documents from
 * causing additional work.
 */
const USES_BEFORE_COMPILED = 10;

interface Uses {
  count: number;
  /** Undefined until compiling was tried. */
  compiled?: CompiledOperation | null;
}

/** Loads the compiler, which takes 0.2 s: best before the first request, and after the start. */
export const loadCompiler = (): Promise<typeof GraphqlJit> => import("graphql-jit");

/** Compiles frequent operations. The compiler itself is loaded for the first of them at the latest. */
export function createOperationCompiler(schema: GraphQLSchema): OperationCompiler {
  const usesByDocument = new WeakMap<DocumentNode, Map<string, Uses>>();
  let jit: typeof GraphqlJit | undefined;
  let loading = false;

  function load(): void {
    if (loading) return;
    loading = true;
    // If it cannot be loaded, graphql-js executes everything.
    loadCompiler().then(
      (loaded) => (jit = loaded),
      () => {},
    );
  }

  function compile(document: DocumentNode, name: string): CompiledOperation | null | undefined {
    if (!isCompilable(getOperationAST(document, name || null)) || hasVariableInLiteral(document))
      return null;
    if (!jit) return void load();
    const result = jit.compileQuery(schema, document, name);
    return jit.isCompiledQuery(result) ? result.query : null;
  }

  function usesOf(document: DocumentNode, name: string): Uses {
    const ofDocument = usesByDocument.get(document) ?? new Map<string, Uses>();
    const uses = ofDocument.get(name) ?? { count: 0 };
    usesByDocument.set(document, ofDocument.set(name, uses));
    return uses;
  }

  return (document, operationName) => {
    const uses = usesOf(document, operationName ?? "");
    if (++uses.count < USES_BEFORE_COMPILED) return null;
    if (uses.compiled === undefined)
      Object.assign(uses, { compiled: compile(document, operationName ?? "") });
    return uses.compiled ?? null;
  };
}

/**
 * Excludes mutations with several fields: graphql-js stops after a failed field, compiled code does
 * not.
 */
function isCompilable(operation: OperationDefinitionNode | null | undefined): boolean {
  if (!operation) return false;
  const { selections } = operation.selectionSet;
  return (
    operation.operation === "query" ||
    (selections.length === 1 && selections[0]?.kind === Kind.FIELD)
  );
}

/** Beware: compiled code treats a variable inside a literal of a JSON scalar as null. */
function hasVariableInLiteral(document: DocumentNode): boolean {
  let depth = 0;
  let hasVariable = false;
  const literal = { enter: () => void depth++, leave: () => void depth-- };
  visit(document, {
    ObjectValue: literal,
    ListValue: literal,
    Variable() {
      hasVariable = depth > 0;
      return hasVariable ? BREAK : undefined;
    },
  });
  return hasVariable;
}
