import {
  Kind,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ASTVisitor,
  type ValidationContext,
} from "graphql";
import { LIMITS, MAX_ROWS, limitError, type LimitName } from "./limits.js";

/** What an operation asks for. */
interface Measure {
  /** Stops at its limit; then the other statistics are too low. */
  selections: number;
  depth: number;
  aliases: number;
  rootFields: number;
  /** Fields `history` within each other. */
  history: number;
  /**
   * Fields that the answer can have: what each field costs, times the rows that every list around
   * it can have.
   */
  cost: number;
}

/** What a field says of itself in its `extensions`, beside its definition in the schema. */
export interface FieldCost {
  /** Entries of a list whose length no argument bounds. */
  maxItems?: number;
  /**
   * Instead of 1: for each 200 characters that its text can have one, and what it takes to make, as
   * fields that are only read take one.
   */
  cost?: number;
}

/** How many rows a field's arguments ask for; null when they say nothing of rows. */
export type RowsOf = (field: GraphQLField<unknown, unknown>, node: FieldNode) => number | null;

interface Place {
  type: GraphQLNamedType | undefined;
  depth: number;
  /** Rows around, multiplied. */
  times: number;
  /** Of the page whose fields these are; null where they are of something else. */
  rows: number | null;
  /** Fields `history` around. */
  histories: number;
}

/** A name in the answer counts as a field for each so many characters: every row repeats it. */
const NAME_LENGTH = 100;

/**
 * Fragments are expanded, circles are left to the rule that refuses them, and introspection, which
 * graphql-js bounds itself, costs nothing.
 */
export function measureOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  rowsOf: RowsOf,
): Measure {
  return new Measuring(schema, document, rowsOf).measure(operation);
}

/** One walk through an operation. */
class Measuring {
  readonly #schema: GraphQLSchema;
  readonly #rowsOf: RowsOf;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Fragments around the selection that is looked at. */
  readonly #spread = new Set<FragmentDefinitionNode>();
  readonly #measure: Measure = {
    selections: 0,
    depth: 0,
    aliases: 0,
    rootFields: 0,
    history: 0,
    cost: 0,
  };

  constructor(schema: GraphQLSchema, document: DocumentNode, rowsOf: RowsOf) {
    this.#schema = schema;
    this.#rowsOf = rowsOf;
    this.#fragments = new Map(
      document.definitions.flatMap((definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
      ),
    );
  }

  measure({ operation, selectionSet }: OperationDefinitionNode): Measure {
    this.#walk(selectionSet, {
      type: this.#schema.getRootType(operation) ?? undefined,
      depth: 0,
      times: 1,
      rows: null,
      histories: 0,
    });
    return this.#measure;
  }

  #walk({ selections }: SelectionSetNode, place: Place): void {
    for (const selection of selections) {
      if (++this.#measure.selections > LIMITS.selections) return;
      if (selection.kind === Kind.FIELD) this.#walkField(selection, place);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        this.#walk(selection.selectionSet, this.#typed(place, selection.typeCondition?.name.value));
      else this.#walkFragment(this.#fragments.get(selection.name.value), place);
    }
  }

  #walkFragment(fragment: FragmentDefinitionNode | undefined, place: Place): void {
    if (!fragment || this.#spread.has(fragment)) return;
    this.#spread.add(fragment);
    this.#walk(fragment.selectionSet, this.#typed(place, fragment.typeCondition.name.value));
    this.#spread.delete(fragment);
  }

  #walkField(node: FieldNode, { type, depth, times, rows, histories }: Place): void {
    const measure = this.#measure;
    const name = node.name.value;
    if (node.alias) measure.aliases++;
    if (depth === 0) measure.rootFields++;
    if (name === "__schema" || name === "__type")
      return node.selectionSet && this.#countSelections(node.selectionSet);
    measure.depth = Math.max(measure.depth, depth + 1);
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
    measure.cost += times * costOf(node, field);
    if (!node.selectionSet) return;
    const asked = field ? this.#rowsOf(field, node) : null;
    const within = name === "history" ? histories + 1 : histories;
    measure.history = Math.max(measure.history, within);
    const isList = field !== undefined && isListType(getNullableType(field.type));
    const length = isList ? (asked ?? rows ?? maxItemsOf(field)) : 1;
    this.#walk(node.selectionSet, {
      type: field && getNamedType(field.type),
      depth: depth + 1,
      times: times * length,
      rows: isList ? null : asked,
      histories: within,
    });
  }

  /** The aliases within count, and the fragments may be a bomb. */
  #countSelections(set: SelectionSetNode): void {
    const { depth, cost, rootFields } = this.#measure;
    this.#walk(set, { type: undefined, depth: 1, times: 0, rows: null, histories: 0 });
    Object.assign(this.#measure, { depth, cost, rootFields });
  }

  #typed(place: Place, name: string | undefined): Place {
    return name === undefined ? place : { ...place, type: this.#schema.getType(name) };
  }
}

function costOf(
  { alias, name }: FieldNode,
  field: GraphQLField<unknown, unknown> | undefined,
): number {
  const { cost = 1 }: FieldCost = field?.extensions ?? {};
  return cost + Math.floor((alias ?? name).value.length / NAME_LENGTH);
}

function maxItemsOf({ extensions }: GraphQLField<unknown, unknown>): number {
  const { maxItems = MAX_ROWS }: FieldCost = extensions;
  return maxItems;
}

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
