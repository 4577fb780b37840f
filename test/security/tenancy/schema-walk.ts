// Finds in the schema everything that can lead from one user to another, so that no new field is
// forgotten.
import {
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from "graphql";

/** Inputs that identify a row, a position in a list, or a submission. */
const NAMES_SOMETHING = (name: string, type: GraphQLNamedType) =>
  type.name === "ID" || /(id|ids|key|cursor)$/i.test(name) || name === "after" || name === "before";

/**
 * Every argument or nested input field that identifies something, e.g. `Query.node(id)` or
 * `Mutation.enqueueJobs(inputs[].photoIds[])`.
 */
export function placesOf(schema: GraphQLSchema): string[] {
  return objectTypes(schema).flatMap((type) =>
    Object.values(type.getFields()).flatMap((field) =>
      field.args.flatMap((argument) =>
        inputPaths(argument.name, argument.type).map(
          (path) => `${type.name}.${field.name}(${path})`,
        ),
      ),
    ),
  );
}

function inputPaths(name: string, type: GraphQLInputType): string[] {
  const [path, named] = [`${name}${isList(type) ? "[]" : ""}`, getNamedType(type)];
  if (isInputObjectType(named))
    return Object.values(named.getFields())
      .flatMap((field) => inputPaths(field.name, field.type))
      .map((inner) => `${path}.${inner}`);
  return NAMES_SOMETHING(name, named) ? [path] : [];
}

/**
 * Every field that leads from one object to others, e.g. `QueuedJob.user`. A result is one JSON
 * value of its row, so the fields inside it lead nowhere else.
 */
export function edgesOf(schema: GraphQLSchema): string[] {
  const ofResults = typesBelow(schema.getType("JobResult"));
  const types = objectTypes(schema).filter((type) => !ofResults.has(type));
  return types.flatMap((type) =>
    Object.values(type.getFields())
      .filter((field) => !isLeafType(getNamedType(field.type)))
      .map((field) => `${type.name}.${field.name}`),
  );
}

function typesBelow(type: GraphQLNamedType | undefined): Set<GraphQLNamedType> {
  const below = (one: GraphQLNamedType): GraphQLNamedType[] => {
    if (isUnionType(one)) return one.getTypes().flatMap(below);
    if (!isObjectType(one)) return [];
    return [one, ...Object.values(one.getFields()).flatMap((f) => below(getNamedType(f.type)))];
  };
  return new Set(type ? below(type) : []);
}

/** Every field with a URL of this service. */
export function urlFieldsOf(schema: GraphQLSchema): string[] {
  return objectTypes(schema).flatMap((type) =>
    Object.keys(type.getFields())
      .filter((name) => /url$|^(image|srcset)$/i.test(name))
      .map((name) => `${type.name}.${name}`),
  );
}

/**
 * Builds an operation with a root field whose arguments are variables of the same names. It selects
 * all fields, `depth` objects deep, except nested histories, which the service refuses.
 */
export function operationOf(schema: GraphQLSchema, place: string, depth: number): string {
  const [root = "", name = ""] = place.split(/[.(]/);
  const field = (schema.getType(root) as GraphQLObjectType).getFields()[name];
  if (!field) throw new Error(`${place} is not in the schema`);
  const declared = field.args
    .map((argument) => `$${argument.name}: ${String(argument.type)}`)
    .join(", ");
  const passed = field.args.map((argument) => `${argument.name}: $${argument.name}`).join(", ");
  return (
    `${root.toLowerCase()}${declared && ` (${declared})`} { ` +
    `${name}${passed && `(${passed})`} ` +
    `${selectionOf(schema, getNamedType(field.type), depth)} }`
  );
}

function selectionOf(
  schema: GraphQLSchema,
  type: GraphQLNamedType,
  depth: number,
  inHistory = false,
  siblings: readonly GraphQLObjectType[] = [],
): string {
  if (isLeafType(type)) return "";
  if (isInterfaceType(type) || isUnionType(type)) {
    const types = schema.getPossibleTypes(type);
    const selections = types.map(
      (one) => `... on ${one.name} ${selectionOf(schema, one, depth, inHistory, types)}`,
    );
    return `{ __typename ${selections.join(" ")} }`;
  }
  if (!isObjectType(type)) throw new Error(`${type.name} cannot be selected`);
  const fields = Object.values(type.getFields()).flatMap((field) =>
    fieldSelection(schema, field, depth, inHistory).map((selection) =>
      siblings.some((other) => hasOther(other, field))
        ? `${type.name}_${field.name}: ${selection}`
        : selection,
    ),
  );
  return `{ __typename ${fields.join(" ")} }`;
}

/** True if the type has a field of this name with another type, so that one needs an alias. */
function hasOther(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): boolean {
  const other = type.getFields()[field.name];
  return other !== undefined && String(other.type) !== String(field.type);
}

function fieldSelection(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  depth: number,
  inHistory: boolean,
): string[] {
  const type = getNamedType(field.type);
  const width = field.args.some(({ name }) => name === "width") ? "(width: 64)" : "";
  if (isLeafType(type)) return [field.name + width];
  const isHistory = field.name === "history";
  if (depth <= 1 || (inHistory && isHistory)) return [];
  const few = field.args.some(({ name }) => name === "first") ? "(first: 2)" : "";
  return [`${field.name}${few} ${selectionOf(schema, type, depth - 1, inHistory || isHistory)}`];
}

/** The edges that a response contains, by its `__typename` values. */
export function edgesIn(value: unknown, root: string): string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => edgesIn(entry, root));
  if (typeof value !== "object" || value === null) return [];
  const type = "__typename" in value ? String(value.__typename) : root;
  return Object.entries(value).flatMap(([name, inner]) =>
    holdsObject(inner) ? [`${type}.${name}`, ...edgesIn(inner, "")] : [],
  );
}

function holdsObject(value: unknown): boolean {
  return Array.isArray(value)
    ? value.some(holdsObject)
    : typeof value === "object" && value !== null && "__typename" in value;
}

/** Puts a value at the path of a place. A list gets it as its only entry; objects are merged. */
export function variablesAt(
  place: string,
  value: unknown,
  base: Record<string, unknown> = {},
): Record<string, unknown> {
  const path = /\((.+)\)$/.exec(place)?.[1]?.split(".") ?? [];
  return put(path, value, base);
}

function put(
  [step = "", ...rest]: string[],
  value: unknown,
  base: Record<string, unknown>,
): Record<string, unknown> {
  const [name, many] = [step.replace("[]", ""), step.endsWith("[]")];
  const present = many && Array.isArray(base[name]) ? (base[name] as unknown[])[0] : base[name];
  const inner =
    rest.length === 0 ? value : put(rest, value, (present ?? {}) as Record<string, unknown>);
  return { ...base, [name]: many ? [inner] : inner };
}

function objectTypes(schema: GraphQLSchema): GraphQLObjectType[] {
  return Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith("__"),
  );
}

function isList(type: GraphQLInputType): boolean {
  return isListType(type) || (isNonNullType(type) && isListType(type.ofType));
}
