import { Field, ID, Int, ObjectType } from "type-graphql";
import { Node } from "../node/node.type.js";
import { JSONObject } from "../scalars.js";

@ObjectType("Job", {
  simpleResolvers: true,
  implements: Node,
  description:
    "A kind of work that can be submitted: one entry of the catalogue, backed by one " +
    "task in the code.",
})
export class JobType {
  @Field(() => ID, { description: "The same as `name`." })
  id!: string;

  @Field(() => String, { description: "Stable slug, e.g. `thumbnail`." })
  name!: string;

  @Field(() => String, { description: "A short name for people." })
  title!: string;

  @Field(() => String, { description: "What it does, in a sentence or two." })
  description!: string;

  @Field(() => JSONObject, {
    description: "JSON Schema (2020-12) of `parameters`; a form can be drawn from it.",
  })
  parameterSchema!: Record<string, unknown>;

  @Field(() => JSONObject, { description: "JSON Schema (2020-12) of `result`." })
  resultSchema!: Record<string, unknown>;

  @Field(() => Int, { description: "How many photos it takes at least." })
  minPhotos!: number;

  @Field(() => Int, { description: "How many photos it takes at most." })
  maxPhotos!: number;

  @Field(() => Int, { description: "After how many failed attempts it is given up." })
  maxAttempts!: number;

  @Field(() => Int, { description: "How long one attempt may take, in milliseconds." })
  timeoutMs!: number;

  @Field(() => Boolean, { description: "Whether it can be submitted now." })
  enabled!: boolean;
}
