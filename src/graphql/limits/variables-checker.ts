import {
  getArgumentValues,
  getVariableValues,
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from "graphql";
import { DEFAULT_ROWS, LIMITS, limitError, MAX_ROWS } from "./limits.js";
import { measureOperation, type FieldCost, type RowsOf } from "./measure-operation.js";

/** Returns the error when a validated operation exceeds a limit with these variables, else null. */
export type VariablesChecker = (
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>> | null | undefined,
) => GraphQLError | null;

/**
 * Checks the limits that depend on variables. Most operations are below them with any variables;
 * this is computed once per operation.
 */
export function createVariablesChecker(schema: GraphQLSchema): VariablesChecker {
  const highest = new WeakMap<OperationDefinitionNode, number>();

  function highestCost(document: DocumentNode, operation: OperationDefinitionNode): number {
    const cached = highest.get(operation);
    if (cached !== undefined) return cached;
    const { cost } = measureOperation(schema, document, operation, (field) =>
      field.args.some(({ name }) => name === "first" || name === "inputs") ? MAX_ROWS : null,
    );
    highest.set(operation, cost);
    return cost;
  }

  return (document, operation, variables) => {
    if (isDeeper(variables, LIMITS.valueDepth))
      return limitError(
        "valueDepth",
        `The variables are nested deeper than ${LIMITS.valueDepth} levels.`,
      );
    if (highestCost(document, operation) <= LIMITS.cost) return null;
    const { coerced } = getVariableValues(
      schema,
      operation.variableDefinitions ?? [],
      variables ?? {},
      { maxErrors: 1 },
    );
    // The execution reports variables of the wrong type.
    if (!coerced) return null;
    const { cost } = measureOperation(schema, document, operation, rowsWith(coerced));
    return cost > LIMITS.cost
      ? limitError(
          "cost",
          `The operation can return up to ${cost} fields; the limit is ${LIMITS.cost}: ` +
            "request fewer rows (first or last) or fewer nested fields.",
          operation,
        )
      : null;
  };
}

function rowsWith(variables: Record<string, unknown>): RowsOf {
  return (field, node) => {
    if (!field.args.some(({ name }) => name === "first" || name === "inputs")) return null;
    const { first, last, inputs } = getArgumentValues(field, node, variables);
    if (Array.isArray(inputs)) return inputs.length;
    const { rows = DEFAULT_ROWS }: FieldCost = field.extensions;
    // The resolver rejects a value outside 1 to MAX_ROWS, and two of them.
    const requested = first ?? last ?? rows;
    return typeof requested === "number" ? Math.min(Math.max(requested, 1), MAX_ROWS) : MAX_ROWS;
  };
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}
