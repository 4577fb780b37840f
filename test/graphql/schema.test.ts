import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import {
  buildSchema,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  lexicographicSortSchema,
  printSchema,
  validateSchema,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from "graphql";
import { encodeStreamCursor } from "../../src/domain/cursors.js";
import { createSchema } from "../../src/graphql/schema.js";
import { createTypedJobs } from "../../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../../src/tasks/catalogue.js";

// This file is run from dist/test/graphql/.
const root = new URL("../../../", import.meta.url);
const SNAPSHOT = new URL("test/schema.graphql", root);
const RENEW =
  "The schema differs from the committed one. If this is intended, run RENEW_SCHEMA=1 npm test " +
  "-- graphql/schema.test";

describe("the schema", () => {
  let schema: GraphQLSchema;
  before(async () => {
    schema = await createSchema(createTypedJobs(catalogue.values()));
  });

  it("is valid", () => {
    assert.deepEqual(validateSchema(schema), []);
  });

  it("equals the committed schema", () => {
    if (process.env["RENEW_SCHEMA"]) writeFileSync(SNAPSHOT, `${printSchema(schema)}\n`);
    // Sort both: TypeGraphQL sorts the arguments of a used field in place, which affects the next
    // schema that is built.
    const sorted = (unsorted: GraphQLSchema) => printSchema(lexicographicSortSchema(unsorted));
    assert.equal(sorted(schema), sorted(buildSchema(readFileSync(SNAPSHOT, "utf8"))), RENEW);
  });

  it("describes every type, field, argument, input field and enum value", () => {
    const undescribed = ownTypes(schema).flatMap((type) =>
      describable(type)
        .filter(([, description]) => !description?.trim())
        .map(([name]) => name),
    );
    assert.deepEqual(undescribed, []);
  });

  it("declares the maximum length of each list without arguments", () => {
    const lists = ownTypes(schema)
      .filter(isObjectType)
      .flatMap((type) =>
        Object.values(type.getFields())
          .filter((field) => isListType(getNullableType(field.type)))
          .map((field) => [`${type.name}.${field.name}`, field] as const),
      );
    const unbounded = lists.filter(
      ([name, { args, extensions }]) =>
        !/Connection\.(edges|nodes)$/.test(name) &&
        args.length === 0 &&
        extensions["maxItems"] === undefined,
    );
    assert.deepEqual(
      unbounded.map(([name]) => name),
      [],
    );
    const photos = lists.find(([name]) => name === "QueuedJob.photos")?.[1].extensions["maxItems"];
    // Photos of a task that copies them are counted during execution.
    const counted = [...catalogue.values()].filter(({ copiesPhotos }) => !copiesPhotos);
    assert.equal(photos, Math.max(...counted.map(({ maxPhotos }) => maxPhotos)));
  });

  it("calls the resolvers of a row with only the row and the context", () => {
    const fields = (schema.getType("QueuedJob") as GraphQLObjectType).getFields();
    const [job, user] = [{ name: "echo" }, { id: "1" }];
    const context = { user, jobs: { known: () => job } };
    const ask = (name: string, row: object) =>
      fields[name]?.resolve?.(row, {}, context, null as unknown as GraphQLResolveInfo);
    assert.equal(ask("job", { jobName: "echo" }), job);
    assert.equal(ask("user", { userId: "1" }), user);
  });

  it("makes the payload of an event at once, from only the event and the context", () => {
    const fields = schema.getSubscriptionType()?.getFields() ?? {};
    const context = { user: { id: "01900000-0000-7000-8000-0000000000aa" } };
    const position = { cursorSeq: 1, epoch: "0123456789abcdef" };
    const resolve = (name: string, event: object) =>
      fields[name]?.resolve?.(
        { event, ...position },
        {},
        context,
        null as unknown as GraphQLResolveInfo,
      ) as { type?: string; cursor?: string };
    const events = [
      resolve("queuedJobEvents", { type: "QUEUED", queuedJob: {} }),
      resolve("photoEvents", { type: "ADDED", photo: { createdAt: 0 } }),
    ];
    const cursor = encodeStreamCursor({ epoch: position.epoch, userId: context.user.id, seq: 1 });
    assert.deepEqual(
      events.map((event) => [event.type, event.cursor]),
      [
        ["QUEUED", cursor],
        ["ADDED", cursor],
      ],
    );
  });

  it("has no resolvers for plain fields, since a page of twenty rows reads hundreds", () => {
    const objects = ownTypes(schema)
      .filter(isObjectType)
      .filter(({ name }) => !["Query", "Mutation", "Subscription"].includes(name));
    const resolved = objects.flatMap((type) =>
      Object.values(type.getFields()).flatMap(({ name, resolve }) =>
        resolve ? [`${type.name}.${name}`] : [],
      ),
    );
    assert.deepEqual(resolved.toSorted(), [
      // JSON values have a resolver that counts them.
      "Job.parameterSchema",
      "Job.paused",
      "Job.resultSchema",
      "JobConnection.totalCount",
      "JobGroup.progress",
      "JobGroup.queuedJobs",
      "JobGroup.status",
      "JobGroupConnection.totalCount",
      "Photo.image",
      "Photo.location",
      "Photo.previewUrl",
      "Photo.queuedJobs",
      "Photo.srcset",
      "Photo.url",
      "Photo.urlExpiresAt",
      "PhotoConnection.totalCount",
      "QueuedJob.estimatedStartAt",
      "QueuedJob.group",
      "QueuedJob.history",
      "QueuedJob.job",
      "QueuedJob.key",
      "QueuedJob.outputs",
      "QueuedJob.parameters",
      "QueuedJob.photos",
      "QueuedJob.queuePosition",
      "QueuedJob.result",
      "QueuedJob.typedResult",
      "QueuedJob.user",
      "QueuedJob.waitingFor",
      "QueuedJobConnection.totalCount",
      "User.limits",
      "User.queuedJobs",
      "UserConnection.totalCount",
    ]);
  });
});

function ownTypes(schema: GraphQLSchema): GraphQLNamedType[] {
  return Object.values(schema.getTypeMap()).filter(
    (type) =>
      !type.name.startsWith("__") &&
      !["String", "Int", "Float", "Boolean", "ID"].includes(type.name),
  );
}

function describable(type: GraphQLNamedType): [string, string | null | undefined][] {
  // The root types need no description.
  const own: [string, string | null | undefined] = [
    type.name,
    ["Query", "Mutation", "Subscription"].includes(type.name) ? "A root." : type.description,
  ];
  if (isEnumType(type))
    return [
      own,
      ...type
        .getValues()
        .map((value): [string, string | null | undefined] => [
          `${type.name}.${value.name}`,
          value.description,
        ]),
    ];
  if (isInputObjectType(type))
    return [
      own,
      ...Object.values(type.getFields()).map((field): [string, string | null | undefined] => [
        `${type.name}.${field.name}`,
        field.description,
      ]),
    ];
  if (!isObjectType(type) && !isInterfaceType(type)) return [own];
  return [
    own,
    ...Object.values(type.getFields()).flatMap((field) => [
      [`${type.name}.${field.name}`, field.description] as [string, string | null | undefined],
      ...field.args.map((arg): [string, string | null | undefined] => [
        `${type.name}.${field.name}(${arg.name})`,
        arg.description,
      ]),
    ]),
  ];
}
