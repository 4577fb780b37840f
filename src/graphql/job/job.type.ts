import { Field, ID, Int, ObjectType } from "type-graphql";
import { Node } from "../node/node.type.js";
import { JSONObject } from "../scalars.js";

@ObjectType("Job", {
  simpleResolvers: true,
  implements: Node,
  description:
    "A kind of work that can be submitted: one entry of the catalogue, implemented by one task.",
})
export class JobType {
  @Field(() => ID, { description: "The same as `name`." })
  id!: string;

  @Field(() => String, { description: "Stable identifier, for example `thumbnail`." })
  name!: string;

  @Field(() => String, { description: "Short name for user interfaces." })
  title!: string;

  @Field(() => String, { description: "One or two sentences about the Job." })
  description!: string;

  @Field(() => JSONObject, {
    description: "JSON Schema (2020-12) of `parameters`; clients can build a form from it.",
  })
  parameterSchema!: Record<string, unknown>;

  @Field(() => JSONObject, { description: "JSON Schema (2020-12) of `result`." })
  resultSchema!: Record<string, unknown>;

  @Field(() => Int, { description: "Minimum number of photos." })
  minPhotos!: number;

  @Field(() => Int, { description: "Maximum number of photos." })
  maxPhotos!: number;

  @Field(() => Int, {
    description: "Number of failed attempts after which a QueuedJob becomes FAILED.",
  })
  maxAttempts!: number;

  @Field(() => Int, { description: "Maximum duration of one attempt, in milliseconds." })
  timeoutMs!: number;

  @Field(() => Boolean, { description: "True if it can be submitted now." })
  enabled!: boolean;

  @Field(() => Boolean, {
    description: "True if an operator has paused it: submissions are accepted and wait.",
  })
  paused!: boolean;
}
