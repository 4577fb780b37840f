import {
  getArgumentValues,
  getVariableValues,
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from "graphql";
import { LIMITS, limitError, MAX_ROWS } from "./limits.js";
import { measureOperation, type RowsOf } from "./measure-operation.js";

/** What an operation that passed validation exceeds with these variables; null when it may run. */
export type VariablesChecker = (
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>> | null | undefined,
) => GraphQLError | null;

/**
 * For the limits that depend on variables. Most operations are below them whatever the variables
 * are, which is found out once for each.
 */
export function createVariablesChecker(schema: GraphQLSchema): VariablesChecker {
  const highest = new WeakMap<OperationDefinitionNode, number>();

  function highestCost(document: DocumentNode, operation: OperationDefinitionNode): number {
    const known = highest.get(operation);
    if (known !== undefined) return known;
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
    // Variables that do not fit are told by the execution.
    if (!coerced) return null;
    const { cost } = measureOperation(schema, document, operation, rowsWith(coerced));
    return cost > LIMITS.cost
      ? limitError(
          "cost",
          `The operation asks for up to ${cost} fields; ${LIMITS.cost} is the most: ask ` +
            "for fewer rows (first), or for less within each.",
          operation,
        )
      : null;
  };
}

function rowsWith(variables: Record<string, unknown>): RowsOf {
  return (field, node) => {
    if (!field.args.some(({ name }) => name === "first" || name === "inputs")) return null;
    const { first, inputs } = getArgumentValues(field, node, variables);
    if (Array.isArray(inputs)) return inputs.length;
    // Anything else than 1 to MAX_ROWS is refused where it is used.
    return typeof first === "number" ? Math.min(Math.max(first, 1), MAX_ROWS) : MAX_ROWS;
  };
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}
