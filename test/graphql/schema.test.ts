import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { buildSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType, isRequiredArgument, isRequiredInputField, isScalarType, printSchema, printType, validateSchema } from "graphql";
import type { GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLNamedType, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema } from "graphql";
import { createSchema } from "../../src/graphql/schema.js";

// This file is run from dist/test/graphql/.
const root = new URL("../../../", import.meta.url);
const SNAPSHOT = new URL("test/schema.graphql", root);
const CONTRACT = new URL("../shared/design/schema.graphql", root);
const RENEW = "The schema is not the committed one. If that is meant: RENEW_SCHEMA=1 npm test -- graphql/schema.test";

const noContract = existsSync(CONTRACT) ? false : `the contract does not lie beside this checkout (${fileURLToPath(CONTRACT)}): this test has shown nothing`;

describe("the schema", () => {
  let schema: GraphQLSchema;
  before(async () => {
    schema = await createSchema();
  });

  it("is one that clients can be built on", () => {
    assert.deepEqual(validateSchema(schema), []);
  });

  it("is printed as it is committed", () => {
    const printed = `${printSchema(schema)}\n`;
    if (process.env["RENEW_SCHEMA"]) writeFileSync(SNAPSHOT, printed);
    assert.equal(printed, readFileSync(SNAPSHOT, "utf8"), RENEW);
  });

  it("has every type, field, argument and value of the contract, no name or nullability changed", { skip: noContract }, () => {
    const contract = buildSchema(readFileSync(CONTRACT, "utf8"));
    const faults = ownTypes(contract).flatMap((wanted) => missingFrom(schema.getType(wanted.name), wanted));
    assert.deepEqual(faults, []);
  });

  it("describes every type, field, argument, input field and enum value", () => {
    const undescribed = ownTypes(schema).flatMap((type) => describable(type).filter(([, description]) => !description?.trim()).map(([name]) => name));
    assert.deepEqual(undescribed, []);
  });

  it("asks the resolvers of a row with the row and the context alone", () => {
    const fields = (schema.getType("QueuedJob") as GraphQLObjectType).getFields();
    const [job, user] = [{ name: "echo" }, { id: "1" }];
    const context = { user, jobs: { known: () => job } };
    const ask = (name: string, row: object) => fields[name]?.resolve?.(row, {}, context, null as unknown as GraphQLResolveInfo);
    assert.equal(ask("job", { jobName: "echo" }), job);
    assert.equal(ask("user", { userId: "1" }), user);
  });

  it("reads what is only read without asking a resolver, of which a page of twenty would ask hundreds", () => {
    const objects = ownTypes(schema).filter(isObjectType).filter(({ name }) => !["Query", "Mutation", "Subscription"].includes(name));
    const resolved = objects.flatMap((type) => Object.values(type.getFields()).flatMap(({ name, resolve }) => (resolve ? [`${type.name}.${name}`] : [])));
    assert.deepEqual(resolved.toSorted(), [
      "JobConnection.totalCount", "Photo.previewUrl", "Photo.queuedJobs", "Photo.url", "PhotoConnection.totalCount",
      "QueuedJob.estimatedStartAt", "QueuedJob.history", "QueuedJob.job", "QueuedJob.outputs", "QueuedJob.parameters", "QueuedJob.photos", "QueuedJob.queuePosition", "QueuedJob.result", "QueuedJob.user",
      "QueuedJobConnection.totalCount", "User.limits", "User.queuedJobs", "UserConnection.totalCount",
    ]);
  });
});

function ownTypes(schema: GraphQLSchema): GraphQLNamedType[] {
  return Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith("__") && !["String", "Int", "Float", "Boolean", "ID"].includes(type.name));
}

function describable(type: GraphQLNamedType): [string, string | null | undefined][] {
  // The roots are no types that anybody would look up.
  const own: [string, string | null | undefined] = [type.name, ["Query", "Mutation", "Subscription"].includes(type.name) ? "A root." : type.description];
  if (isEnumType(type)) return [own, ...type.getValues().map((value): [string, string | null | undefined] => [`${type.name}.${value.name}`, value.description])];
  if (isInputObjectType(type)) return [own, ...Object.values(type.getFields()).map((field): [string, string | null | undefined] => [`${type.name}.${field.name}`, field.description])];
  if (!isObjectType(type) && !isInterfaceType(type)) return [own];
  return [
    own,
    ...Object.values(type.getFields()).flatMap((field) => [
      [`${type.name}.${field.name}`, field.description] as [string, string | null | undefined],
      ...field.args.map((arg): [string, string | null | undefined] => [`${type.name}.${field.name}(${arg.name})`, arg.description]),
    ]),
  ];
}

function missingFrom(actual: GraphQLNamedType | undefined, wanted: GraphQLNamedType): string[] {
  if (actual?.constructor !== wanted.constructor) return [`${wanted.name}: is missing or of another kind`];
  if (isScalarType(wanted) && isScalarType(actual)) return wanted.specifiedByURL ? same(`${wanted.name} @specifiedBy`, wanted.specifiedByURL, actual.specifiedByURL) : [];
  if (isEnumType(wanted) && isEnumType(actual)) return wanted.getValues().flatMap(({ name }) => (actual.getValue(name) ? [] : [`${wanted.name}.${name}: is missing`]));
  if (isInputObjectType(wanted) && isInputObjectType(actual)) return inputsMissing(wanted.name, Object.values(actual.getFields()), Object.values(wanted.getFields()));
  if (!(isObjectType(wanted) || isInterfaceType(wanted)) || !(isObjectType(actual) || isInterfaceType(actual))) return [`${printType(wanted)}: is not compared`];
  return [
    ...same(`${wanted.name} implements`, wanted.getInterfaces().join(), actual.getInterfaces().join()),
    ...Object.values(wanted.getFields()).flatMap((field) => fieldMissing(`${wanted.name}.${field.name}`, actual.getFields()[field.name], field)),
  ];
}

function fieldMissing(name: string, actual: GraphQLField<unknown, unknown> | undefined, wanted: GraphQLField<unknown, unknown>): string[] {
  if (!actual) return [`${name}: is missing`];
  return [...same(name, String(wanted.type), String(actual.type)), ...inputsMissing(name, actual.args, wanted.args)];
}

/** Arguments, or the fields of an input: what is new among them must not be demanded. */
function inputsMissing(name: string, actual: readonly (GraphQLArgument | GraphQLInputField)[], wanted: readonly (GraphQLArgument | GraphQLInputField)[]): string[] {
  const faults = wanted.flatMap((input) => {
    const found = actual.find((other) => other.name === input.name);
    if (!found) return [`${name}(${input.name}): is missing`];
    return [...same(`${name}(${input.name})`, String(input.type), String(found.type)), ...same(`${name}(${input.name}) =`, JSON.stringify(input.defaultValue), JSON.stringify(found.defaultValue))];
  });
  const demanded = actual.filter((input) => !wanted.some((other) => other.name === input.name) && ("args" in input || isRequiredArgument(input as GraphQLArgument) || isRequiredInputField(input as GraphQLInputField)));
  return [...faults, ...demanded.map((input) => `${name}(${input.name}): is new and required`)];
}

function same(name: string, wanted: unknown, actual: unknown): string[] {
  return wanted === actual ? [] : [`${name}: is ${String(actual)}, not ${String(wanted)}`];
}
