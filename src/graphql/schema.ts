import "reflect-metadata";
import type { GraphQLObjectType, GraphQLSchema } from "graphql";
import { buildSchema } from "type-graphql";
import type { QueuedJob } from "../queued-job.js";
import type { Context } from "./context.js";
import { JobConnectionResolver, JobResolver } from "./job/job.resolver.js";
import { NodeResolver } from "./node/node.resolver.js";
import { PhotoConnectionResolver, PhotoResolver } from "./photo/photo.resolver.js";
import { QueuedJobConnectionResolver } from "./queued-job/queued-job-connection.type.js";
import { QueuedJobEventResolver } from "./queued-job/queued-job-event.resolver.js";
import { QueuedJobResolver } from "./queued-job/queued-job.resolver.js";
import { ServiceInfoResolver } from "./service-info/service-info.resolver.js";
import { UserConnectionResolver, UserResolver } from "./user/user.resolver.js";

/** The API's shape. Arguments are checked by the services, which know what a fault is called. */
export async function createSchema(): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    resolvers: [
      NodeResolver, UserResolver, UserConnectionResolver, JobResolver, JobConnectionResolver, PhotoResolver, PhotoConnectionResolver,
      QueuedJobResolver, QueuedJobConnectionResolver, QueuedJobEventResolver, ServiceInfoResolver,
    ],
    validate: false,
    // Every stream has a `subscribe` of its own.
    pubSub: { publish() {}, subscribe: () => { throw new Error("No topic is published"); } },
  });
  resolveRowsAtOnce(schema);
  return schema;
}

/** Fields of which a page asks each row, and which take the row and the context alone. What TypeGraphQL does for arguments costs more than they do. */
const OF_ROWS = ["parameters", "result", "job", "user", "photos", "outputs", "history", "queuePosition", "estimatedStartAt"] as const;

function resolveRowsAtOnce(schema: GraphQLSchema): void {
  const fields = (schema.getType("QueuedJob") as GraphQLObjectType<QueuedJob, Context>).getFields();
  const rows = new QueuedJobResolver();
  for (const name of OF_ROWS) {
    const field = fields[name];
    if (field) field.resolve = (row, _args, context) => rows[name](row, context);
  }
}
