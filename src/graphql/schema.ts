import "reflect-metadata";
import {
  defaultFieldResolver,
  getNamedType,
  isObjectType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from "graphql";
import { buildSchema } from "type-graphql";
import type { QueuedJob } from "../domain/queued-job.js";
import type { Photo } from "../services/photos/photos.js";
import type { Context } from "./context.js";
import { JobConnectionResolver, JobResolver } from "./job/job.resolver.js";
import { NodeResolver } from "./node/node.resolver.js";
import { PhotoConnectionResolver, PhotoResolver } from "./photo/photo.resolver.js";
import { QueuedJobConnectionResolver } from "./queued-job/queued-job.type.js";
import { QueuedJobEventResolver } from "./queued-job/queued-job-event.resolver.js";
import { QueuedJobMutationsResolver } from "./queued-job/queued-job-mutations.resolver.js";
import { QueuedJobResolver } from "./queued-job/queued-job.resolver.js";
import { JSONObject, JSONValue } from "./scalars.js";
import { ServiceInfoResolver } from "./service-info/service-info.resolver.js";
import { UserConnectionResolver, UserResolver } from "./user/user.resolver.js";

/** Builds the API's schema. The services validate arguments, since they define the error codes. */
export async function createSchema(): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    resolvers: [
      NodeResolver,
      UserResolver,
      UserConnectionResolver,
      JobResolver,
      JobConnectionResolver,
      PhotoResolver,
      PhotoConnectionResolver,
      QueuedJobResolver,
      QueuedJobMutationsResolver,
      QueuedJobConnectionResolver,
      QueuedJobEventResolver,
      ServiceInfoResolver,
    ],
    validate: false,
    // TypeGraphQL requires this option. It is unused: each subscription defines `subscribe`.
    pubSub: {
      publish() {},
      subscribe: () => {
        throw new Error("A subscription must define subscribe: TypeGraphQL topics are not used");
      },
    },
  });
  resolveRowsAtOnce(schema);
  countValues(schema);
  return schema;
}

/**
 * Fields that are resolved for each row of a page and need only the row and the context. They are
 * called directly, since TypeGraphQL's argument handling costs more than the fields themselves. A
 * page of 20 with user and job takes 1.25 ms of CPU instead of 1.4 (medians of 9 rounds, 32
 * connections, 2 cores).
 */
const OF_ROWS = [
  "parameters",
  "result",
  "job",
  "user",
  "photos",
  "outputs",
  "history",
  "queuePosition",
  "estimatedStartAt",
] as const;
const OF_PHOTOS = ["url", "previewUrl"] as const;

function resolveRowsAtOnce(schema: GraphQLSchema): void {
  const [rows, photos] = [new QueuedJobResolver(), new PhotoResolver()];
  const fieldsOf = <Row>(type: string) =>
    (schema.getType(type) as GraphQLObjectType<Row, Context>).getFields();
  const [ofRows, ofPhotos] = [fieldsOf<QueuedJob>("QueuedJob"), fieldsOf<Photo>("Photo")];
  for (const name of OF_ROWS)
    Object.assign(ofRows[name] ?? {}, {
      resolve: ((row, _args, context, info) =>
        rows[name](row, context, info)) satisfies GraphQLFieldResolver<QueuedJob, Context>,
    });
  for (const name of OF_PHOTOS)
    Object.assign(ofPhotos[name] ?? {}, {
      resolve: ((photo, _args, context) =>
        photos[name](photo, context)) satisfies GraphQLFieldResolver<Photo, Context>,
    });
}

/** A JSON value can be long and occur under many aliases, so each occurrence is counted. */
function countValues(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    for (const field of isObjectType(type) ? Object.values(type.getFields()) : []) {
      if (VALUES.includes(getNamedType(field.type))) field.resolve = counted(field);
    }
  }
}

const VALUES: readonly GraphQLNamedType[] = [JSONObject, JSONValue];

function counted({
  resolve = defaultFieldResolver,
}: GraphQLField<unknown, Context>): GraphQLFieldResolver<unknown, Context> {
  return (source, args, context, info) => {
    const count = (value: unknown): unknown => {
      context.budget.takeValue(value);
      return value;
    };
    const value: unknown = resolve(source, args, context, info);
    return value instanceof Promise ? value.then(count) : count(value);
  };
}
