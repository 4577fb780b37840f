import { Field, ObjectType } from "type-graphql";
import { defineConnectionType } from "../paging/connection-type.js";
import { QueuedJobType } from "./queued-job.type.js";

const { ConnectionType, ConnectionResolver } = defineConnectionType("QueuedJob", QueuedJobType);
export const QueuedJobConnectionResolver = ConnectionResolver;

@ObjectType("QueuedJobConnection", {
  simpleResolvers: true,
  description: "A page of a list of QueuedJobs, and where the event stream stood when it was read.",
})
export class QueuedJobConnection extends ConnectionType {
  @Field(() => String, {
    description:
      "Where the event stream stood when the first page was read: subscribe with `after: " +
      "eventCursor` and nothing falls between. A later page (asked for with `after`) " +
      "repeats the first page's, so that a cache that keeps the last one loses nothing.",
  })
  eventCursor!: string;
}
