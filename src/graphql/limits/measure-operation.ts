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

interface Measure {
  /** Counting stops at the limit; the other numbers are too low then. */
  selections: number;
  depth: number;
  aliases: number;
  rootFields: number;
  /** Levels of nested `history` fields. */
  history: number;
  /**
   * Fields that the answer can have: the cost of each field, times the rows that each list around
   * it can have.
   */
  cost: number;
}

/** The `extensions` of a field, declared where the schema defines the field. */
export interface FieldCost {
  /** Maximum entries of a list whose length is not bounded by an argument. */
  maxItems?: number;
  /** Rows of a page if the arguments request no number. Default: DEFAULT_ROWS. */
  rows?: number;
  /**
   * Replaces the default cost of 1, which is the cost of a field that is only read. Add 1 for each
   * 200 characters that its text can have, and the effort to compute it.
   */
  cost?: number;
}

/** The number of rows that a field's arguments request; null when they do not request rows. */
export type RowsOf = (field: GraphQLField<unknown, unknown>, node: FieldNode) => number | null;

interface Place {
  type: GraphQLNamedType | undefined;
  depth: number;
  /** The product of the rows of all lists around this place. */
  times: number;
  /** Rows of the page whose fields these are; null outside a page. */
  rows: number | null;
  /** Number of `history` fields around this place. */
  histories: number;
}

/** Each 100 characters of a response name count as one more field, since every row repeats it. */
const NAME_LENGTH = 100;

/**
 * Expands fragments. Another rule rejects cycles of fragments. Introspection costs nothing, since
 * graphql-js bounds it.
 */
export function measureOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  rowsOf: RowsOf,
): Measure {
  return new Measuring(schema, document, rowsOf).measure(operation);
}

class Measuring {
  readonly #schema: GraphQLSchema;
  readonly #rowsOf: RowsOf;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Fragments around the current selection. */
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
    const requested = field ? this.#rowsOf(field, node) : null;
    const within = name === "history" ? histories + 1 : histories;
    measure.history = Math.max(measure.history, within);
    const isList = field !== undefined && isListType(getNullableType(field.type));
    const length = isList ? (requested ?? rows ?? maxItemsOf(field)) : 1;
    this.#walk(node.selectionSet, {
      type: field && getNamedType(field.type),
      depth: depth + 1,
      times: times * length,
      rows: isList ? null : requested,
      histories: within,
    });
  }

  /** Aliases inside introspection count, and fragments inside it can expand exponentially. */
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

/** The validation rule for the limits that do not depend on variables. */
export function limitRule(context: ValidationContext): ASTVisitor {
  const document = context.getDocument();
  let directives = 0;
  let valueDepth = 0;
  const deeper = {
    enter() {
      // Report each value that is too deep once.
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
      for (const [limit, actual, max, message] of shapeLimits(operation, measure)) {
        if (actual <= max) continue;
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
  measure: Measure,
): [LimitName, number, number, string][] {
  const rootFields = operation === "mutation" ? LIMITS.rootFieldsOfMutation : LIMITS.rootFields;
  return [
    [
      "selections",
      measure.selections,
      LIMITS.selections,
      `The operation has more than ${LIMITS.selections} fields once its fragments are expanded.`,
    ],
    [
      "depth",
      measure.depth,
      LIMITS.depth,
      `The operation is ${measure.depth} fields deep; the limit is ${LIMITS.depth}.`,
    ],
    [
      "history",
      measure.history,
      LIMITS.history,
      "history cannot be selected below another history.",
    ],
    [
      "aliases",
      measure.aliases,
      LIMITS.aliases,
      `The operation has ${measure.aliases} aliases; the limit is ${LIMITS.aliases}.`,
    ],
    [
      "rootFields",
      measure.rootFields,
      rootFields,
      `The ${operation} has ${measure.rootFields} root fields; the limit is ${rootFields}.`,
    ],
  ];
}
