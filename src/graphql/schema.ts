import "reflect-metadata";
import {
  defaultFieldResolver,
  extendSchema,
  getNamedType,
  isObjectType,
  parse,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
} from "graphql";
import { buildSchema } from "type-graphql";
import type { QueuedJob } from "../domain/queued-job.js";
import type { DeliveredEvent } from "../events/subscription.js";
import type { PhotoEvent } from "../domain/photo-event.js";
import type { Photo } from "../services/photos/photos.js";
import type { Context } from "./context.js";
import { JobConnectionResolver, JobResolver } from "./job/job.resolver.js";
import { JobGroupResolver } from "./job-group/job-group.resolver.js";
import { JobGroupConnectionResolver } from "./job-group/job-group.type.js";
import type { EnqueueGroupInput } from "./job-group/enqueue-group.input.js";
import { NodeResolver } from "./node/node.resolver.js";
import { PhotoEventResolver } from "./photo/photo-event.resolver.js";
import { PhotoResolver } from "./photo/photo.resolver.js";
import { PhotoConnectionResolver } from "./photo/photo.type.js";
import { QueuedJobConnectionResolver } from "./queued-job/queued-job.type.js";
import type { EnqueueJobInput } from "./queued-job/enqueue-job.input.js";
import { QueuedJobEventResolver } from "./queued-job/queued-job-event.resolver.js";
import { QueuedJobMutationsResolver } from "./queued-job/queued-job-mutations.resolver.js";
import { QueuedJobResolver } from "./queued-job/queued-job.resolver.js";
import { JSONObject, JSONValue } from "./scalars.js";
import type { TypedJobs } from "./typed-jobs/typed-jobs.js";
import { ServiceInfoResolver } from "./service-info/service-info.resolver.js";
import { UserConnectionResolver, UserResolver } from "./user/user.resolver.js";

/**
 * Builds the API's schema, with the types of all Jobs. The services validate arguments, since they
 * define the error codes.
 */
export async function createSchema(typedJobs: TypedJobs): Promise<GraphQLSchema> {
  const base = await buildSchema({
    resolvers: [
      NodeResolver,
      UserResolver,
      UserConnectionResolver,
      JobResolver,
      JobConnectionResolver,
      PhotoResolver,
      PhotoConnectionResolver,
      PhotoEventResolver,
      QueuedJobResolver,
      QueuedJobMutationsResolver,
      QueuedJobConnectionResolver,
      QueuedJobEventResolver,
      JobGroupResolver,
      JobGroupConnectionResolver,
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
  const schema = extendSchema(base, parse(typedJobs.sdl));
  boundLists(schema, typedJobs.listSizes);
  resolveAtOnce(schema);
  resolveEventsAtOnce(schema);
  countValues(schema, Object.keys(base.getTypeMap()));
  return schema;
}

/** Declares the maximum length of lists in results, on which the cost of an operation depends. */
function boundLists(schema: GraphQLSchema, sizes: TypedJobs["listSizes"]): void {
  for (const type of Object.values(schema.getTypeMap())) {
    for (const field of isObjectType(type) ? Object.values(type.getFields()) : []) {
      const maxItems = sizes.get(`${type.name}.${field.name}`);
      if (maxItems !== undefined) field.extensions = { ...field.extensions, maxItems };
    }
  }
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
  "typedResult",
  "job",
  "user",
  "group",
  "key",
  "waitingFor",
  "photos",
  "outputs",
  "history",
  "queuePosition",
  "estimatedStartAt",
] as const;
const OF_PHOTOS = ["url", "previewUrl", "urlExpiresAt", "location"] as const;

function resolveAtOnce(schema: GraphQLSchema): void {
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
  // TypeGraphQL drops input fields that it does not define, such as `run`.
  const mutations = new QueuedJobMutationsResolver();
  const groups = new JobGroupResolver();
  const { enqueueJob, enqueueJobs, enqueueGroup } = fieldsOf("Mutation");
  Object.assign(enqueueGroup ?? {}, {
    resolve: ((_, { input }, context) =>
      groups.enqueueGroup(input, context)) satisfies GraphQLFieldResolver<
      unknown,
      Context,
      { input: EnqueueGroupInput }
    >,
  });
  Object.assign(enqueueJob ?? {}, {
    resolve: ((_, { input }, context) =>
      mutations.enqueueJob(input, context)) satisfies GraphQLFieldResolver<
      unknown,
      Context,
      { input: EnqueueJobInput }
    >,
  });
  Object.assign(enqueueJobs ?? {}, {
    resolve: ((_, { inputs }, context) =>
      mutations.enqueueJobs(inputs, context)) satisfies GraphQLFieldResolver<
      unknown,
      Context,
      { inputs: EnqueueJobInput[] }
    >,
  });
}

/**
 * The arguments of a stream only open it. TypeGraphQL would convert them again for each event, which
 * is a seventh of the processor time of a job; see "Under the floor" in bench/README.md.
 */
function resolveEventsAtOnce(schema: GraphQLSchema): void {
  const { queuedJobEvents, photoEvents } = schema.getSubscriptionType()?.getFields() ?? {};
  const [ofJobs, ofPhotos] = [new QueuedJobEventResolver(), new PhotoEventResolver()];
  Object.assign(queuedJobEvents ?? {}, {
    resolve: ((event, _args, context) =>
      ofJobs.queuedJobEvents(
        event,
        null,
        null,
        null,
        null,
        context,
      )) satisfies GraphQLFieldResolver<DeliveredEvent, Context>,
  });
  Object.assign(photoEvents ?? {}, {
    resolve: ((event, _args, context) =>
      ofPhotos.photoEvents(event, null, context)) satisfies GraphQLFieldResolver<
      DeliveredEvent<PhotoEvent>,
      Context
    >,
  });
}

/**
 * A JSON value can be long and occur under many aliases, so each occurrence is counted. A typed
 * result is counted as a whole, where it is read.
 */
function countValues(schema: GraphQLSchema, typeNames: string[]): void {
  for (const type of typeNames.map((name) => schema.getType(name))) {
    for (const field of isObjectType(type) ? Object.values(type.getFields()) : []) {
      if (VALUES.includes(getNamedType(field.type).name)) field.resolve = counted(field);
    }
  }
}

/** Names of scalars: `extendSchema` copies the scalars themselves. */
const VALUES: readonly string[] = [JSONObject.name, JSONValue.name];

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
