import type { ASTVisitor, OperationDefinitionNode, ValidationContext } from "graphql";
import { LIMITS, limitError, type LimitName } from "./limits.js";
import { measureOperation } from "./measure-operation.js";

/** The rule of validation for the limits that hold whatever the variables are. */
export function limitRule(context: ValidationContext): ASTVisitor {
  const document = context.getDocument();
  let directives = 0;
  let valueDepth = 0;
  const deeper = {
    enter() {
      // Once for each value that goes too deep.
      if (++valueDepth === LIMITS.valueDepth + 1)
        context.reportError(
          limitError("valueDepth", `A value is nested deeper than ${LIMITS.valueDepth} levels.`),
        );
    },
    leave: () => void valueDepth--,
  };

  return {
    OperationDefinition(operation) {
      const measure = measureOperation(context.getSchema(), document, operation, () => null);
      for (const [limit, found, most, message] of shapeLimits(operation, measure)) {
        if (found <= most) continue;
        return context.reportError(limitError(limit, message, operation));
      }
    },
    Directive() {
      if (++directives === LIMITS.directives + 1)
        context.reportError(
          limitError("directives", `The document has more than ${LIMITS.directives} directives.`),
        );
    },
    ListValue: deeper,
    ObjectValue: deeper,
  };
}

function shapeLimits(
  { operation }: OperationDefinitionNode,
  found: ReturnType<typeof measureOperation>,
): [LimitName, number, number, string][] {
  const rootFields = operation === "mutation" ? LIMITS.rootFieldsOfMutation : LIMITS.rootFields;
  return [
    [
      "selections",
      found.selections,
      LIMITS.selections,
      `The operation has more than ${LIMITS.selections} fields once its fragments are expanded.`,
    ],
    [
      "depth",
      found.depth,
      LIMITS.depth,
      `The operation is ${found.depth} fields deep; ${LIMITS.depth} is the most.`,
    ],
    ["history", found.history, LIMITS.history, "history cannot be selected below another history."],
    [
      "aliases",
      found.aliases,
      LIMITS.aliases,
      `The operation has ${found.aliases} aliases; ${LIMITS.aliases} is the most.`,
    ],
    [
      "rootFields",
      found.rootFields,
      rootFields,
      `The ${operation} has ${found.rootFields} fields at its root; ${rootFields} is the most.`,
    ],
  ];
}
