import { Kind, getNamedType, getNullableType, isInterfaceType, isListType, isObjectType } from "graphql";
import type { DocumentNode, FieldNode, FragmentDefinitionNode, GraphQLField, GraphQLNamedType, GraphQLSchema, OperationDefinitionNode, SelectionSetNode } from "graphql";
import { LIMITS } from "./limits.js";

/** What an operation asks for. */
export interface Measure {
  /** Stops at its limit; then the other figures are too low. */
  selections: number;
  depth: number;
  aliases: number;
  rootFields: number;
  /** Fields that the answer may have: one for each field, times the rows of every list around it. */
  cost: number;
}

/** How many rows a field's arguments ask for; null when they say nothing of rows. */
export type RowsOf = (field: GraphQLField<unknown, unknown>, node: FieldNode) => number | null;

interface Place {
  type: GraphQLNamedType | undefined;
  depth: number;
  /** Rows around, multiplied. */
  times: number;
  /** Of the page that this is. */
  rows: number | null;
}

/** Of a list of which nobody says how long it is. */
const USUAL_ROWS = 4;

/**
 * Fragments are expanded, circles are left to the rule that refuses them, and introspection, which graphql-js bounds itself,
 * costs nothing. Long because four functions that call each other share one measure.
 */
export function measureOperation(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, rowsOf: RowsOf): Measure {
  const fragments = new Map(document.definitions.flatMap((definition) => (definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [])));
  const spread = new Set<FragmentDefinitionNode>();
  const measure: Measure = { selections: 0, depth: 0, aliases: 0, rootFields: 0, cost: 0 };

  function walk({ selections }: SelectionSetNode, place: Place): void {
    for (const selection of selections) {
      if (++measure.selections > LIMITS.selections) return;
      if (selection.kind === Kind.FIELD) walkField(selection, place);
      else if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet, typed(place, selection.typeCondition?.name.value));
      else walkFragment(fragments.get(selection.name.value), place);
    }
  }

  function walkFragment(fragment: FragmentDefinitionNode | undefined, place: Place): void {
    if (!fragment || spread.has(fragment)) return;
    spread.add(fragment);
    walk(fragment.selectionSet, typed(place, fragment.typeCondition.name.value));
    spread.delete(fragment);
  }

  function walkField(node: FieldNode, { type, depth, times, rows }: Place): void {
    const name = node.name.value;
    if (node.alias) measure.aliases++;
    if (depth === 0) measure.rootFields++;
    if (name === "__schema" || name === "__type") return node.selectionSet && countSelections(node.selectionSet);
    measure.depth = Math.max(measure.depth, depth + 1);
    measure.cost += times;
    if (!node.selectionSet) return;
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
    const asked = field ? rowsOf(field, node) : null;
    const isList = field !== undefined && isListType(getNullableType(field.type));
    const length = isList ? (asked ?? (name === "edges" || name === "nodes" ? rows : null) ?? USUAL_ROWS) : 1;
    walk(node.selectionSet, { type: field && getNamedType(field.type), depth: depth + 1, times: times * length, rows: asked });
  }

  /** The aliases within count, and the fragments may be a bomb. */
  function countSelections(set: SelectionSetNode): void {
    const { depth, cost, rootFields } = measure;
    walk(set, { type: undefined, depth: 1, times: 0, rows: null });
    Object.assign(measure, { depth, cost, rootFields });
  }

  const typed = (place: Place, name: string | undefined): Place => (name === undefined ? place : { ...place, type: schema.getType(name) });
  walk(operation.selectionSet, { type: schema.getRootType(operation.operation) ?? undefined, depth: 0, times: 1, rows: null });
  return measure;
}
