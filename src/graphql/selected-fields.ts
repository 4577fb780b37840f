import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionSetNode } from "graphql";

type Fragments = GraphQLResolveInfo["fragments"];

/**
 * The names of what is selected below the fields at the ends of `paths`, fragments expanded and
 * directives not looked at: what may be asked for.
 */
export function selectedFields(
  { fieldNodes, fragments }: Pick<GraphQLResolveInfo, "fieldNodes" | "fragments">,
  paths: readonly (readonly string[])[],
): Set<string> {
  const below = (nodes: readonly FieldNode[], name: string) =>
    nodes
      .flatMap((node) => fieldsOf(node.selectionSet, fragments))
      .filter((field) => field.name.value === name);
  const ends = paths.flatMap((path) => path.reduce<readonly FieldNode[]>(below, fieldNodes));
  return new Set(
    ends
      .flatMap(({ selectionSet }) => fieldsOf(selectionSet, fragments))
      .map((field) => field.name.value),
  );
}

function fieldsOf(set: SelectionSetNode | undefined, fragments: Fragments): FieldNode[] {
  return (set?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection;
    return fieldsOf(
      selection.kind === Kind.INLINE_FRAGMENT
        ? selection.selectionSet
        : fragments[selection.name.value]?.selectionSet,
      fragments,
    );
  });
}
