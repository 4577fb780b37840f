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

/** Runs an operation on a root value. Beware: its errors lack what those of graphql-js have. */
export type CompiledOperation = CompiledQuery["query"];

/**
 * Null of what is not compiled, or not yet; to be asked each time that the operation is executed.
 */
export type OperationCompiler = (
  document: DocumentNode,
  operationName: string | null | undefined,
) => CompiledOperation | null;

/**
 * To compile costs as much as to validate, so that whoever makes up new documents gets no more work
 * out of us.
 */
const USES_BEFORE_COMPILED = 10;

interface Uses {
  count: number;
  /** Undefined until it was tried. */
  compiled?: CompiledOperation | null;
}

/** Compiles what comes often. The compiler itself is loaded with the first such operation. */
export function createOperationCompiler(schema: GraphQLSchema): OperationCompiler {
  const known = new WeakMap<DocumentNode, Map<string, Uses>>();
  let jit: typeof GraphqlJit | undefined;
  let loading = false;

  function load(): void {
    if (loading) return;
    loading = true;
    // One that cannot be loaded leaves all to graphql-js.
    import("graphql-jit").then(
      (loaded) => (jit = loaded),
      () => {},
    );
  }

  function compile(document: DocumentNode, name: string): CompiledOperation | null | undefined {
    if (!isCompilable(getOperationAST(document, name || null)) || hasVariableInLiteral(document))
      return null;
    if (!jit) return void load();
    const made = jit.compileQuery(schema, document, name);
    return jit.isCompiledQuery(made) ? made.query : null;
  }

  function usesOf(document: DocumentNode, name: string): Uses {
    const ofDocument = known.get(document) ?? new Map<string, Uses>();
    const uses = ofDocument.get(name) ?? { count: 0 };
    known.set(document, ofDocument.set(name, uses));
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
 * Of several fields of a mutation graphql-js begins none behind one that failed; the compiled one
 * would.
 */
function isCompilable(operation: OperationDefinitionNode | null | undefined): boolean {
  if (!operation) return false;
  const { selections } = operation.selectionSet;
  return (
    operation.operation === "query" ||
    (selections.length === 1 && selections[0]?.kind === Kind.FIELD)
  );
}

/**
 * Beware: the compiled operation would take null for a variable within a literal of a JSON scalar.
 */
function hasVariableInLiteral(document: DocumentNode): boolean {
  let depth = 0;
  let found = false;
  const literal = { enter: () => void depth++, leave: () => void depth-- };
  visit(document, {
    ObjectValue: literal,
    ListValue: literal,
    Variable() {
      found = depth > 0;
      return found ? BREAK : undefined;
    },
  });
  return found;
}
