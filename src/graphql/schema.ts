import "reflect-metadata";
import type { GraphQLSchema } from "graphql";
import { buildSchema } from "type-graphql";
import { JobConnectionResolver, JobResolver } from "./job/job.resolver.js";
import { NodeResolver } from "./node/node.resolver.js";
import { PhotoConnectionResolver, PhotoResolver } from "./photo/photo.resolver.js";
import { QueuedJobConnectionResolver } from "./queued-job/queued-job-connection.type.js";
import { QueuedJobEventResolver } from "./queued-job/queued-job-event.resolver.js";
import { QueuedJobResolver } from "./queued-job/queued-job.resolver.js";
import { ServiceInfoResolver } from "./service-info/service-info.resolver.js";
import { UserConnectionResolver, UserResolver } from "./user/user.resolver.js";

/** The API's shape. Arguments are checked by the services, which know what a fault is called. */
export function createSchema(): Promise<GraphQLSchema> {
  return buildSchema({
    resolvers: [
      NodeResolver, UserResolver, UserConnectionResolver, JobResolver, JobConnectionResolver, PhotoResolver, PhotoConnectionResolver,
      QueuedJobResolver, QueuedJobConnectionResolver, QueuedJobEventResolver, ServiceInfoResolver,
    ],
    validate: false,
    // Every stream has a `subscribe` of its own.
    pubSub: { publish() {}, subscribe: () => { throw new Error("No topic is published"); } },
  });
}
