import assert from "node:assert/strict";
import { it } from "node:test";
import {
  Kind,
  parse,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
} from "graphql";
import { selectedFields } from "../../../../src/graphql/queued-job/list-queued-jobs.js";

it("selectedFields finds fields behind aliases, fragments and directives on all paths", () => {
  const { definitions } = parse(`
    { page { other: edges { node { id } } edges @skip(if: true) { ...E } nodes { name: title ...
    on Row { size { width } } } total } page { nodes { more } } }
    fragment E on Edge { node { ...N cursor } } fragment N on Row { status }`);
  const fragments = Object.fromEntries(
    definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
  const fieldNodes = (definitions[0] as OperationDefinitionNode).selectionSet
    .selections as FieldNode[];
  assert.deepEqual(
    [...selectedFields({ fieldNodes, fragments }, [["edges", "node"], ["nodes"]])].toSorted(),
    ["cursor", "id", "more", "size", "status", "title"],
  );
  assert.deepEqual([...selectedFields({ fieldNodes, fragments }, [["nothing"]])], []);
});
