import { Extensions, Field, Float, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import { Node } from "../node/node.type.js";
import { DateTime } from "../scalars.js";

const Role = { USER: "USER", ADMIN: "ADMIN" } as const;

registerEnumType(Role, {
  name: "Role",
  description: "What a person may do.",
  valuesConfig: {
    USER: { description: "Everything with what is one's own." },
    ADMIN: {
      description: "Also sees everybody's, and cancels, retries and deletes QueuedJobs of others.",
    },
  },
});

@ObjectType("User", {
  simpleResolvers: true,
  implements: Node,
  description: "A person, provisioned the first time a valid token of theirs is seen.",
})
export class UserType {
  @Field(() => ID, { description: "A UUID." })
  id!: string;

  @Field(() => String, { description: "As the newest token says." })
  email!: string;

  @Field(() => String, { description: "As the newest token says, or the e-mail's part before @." })
  name!: string;

  @Extensions({ cost: 10 })
  @Field(() => String, {
    nullable: true,
    description: "URL of a portrait, as the newest token says.",
  })
  picture!: string | null;

  @Field(() => Role, { description: "What this person may do." })
  role!: keyof typeof Role;

  @Field(() => DateTime, { description: "When a token of theirs was first seen." })
  createdAt!: Date;
}

@ObjectType({ simpleResolvers: true, description: "What one may still do." })
export class UserLimits {
  @Field(() => Int, { description: "Unfinished QueuedJobs one may have." })
  maxUnfinished!: number;

  @Field(() => Int, { description: "Unfinished QueuedJobs one has." })
  unfinished!: number;

  @Field(() => Int, { description: "Bytes that one upload may have." })
  maxUploadBytes!: number;

  @Field(() => Float, { description: "Bytes that one's photos and outputs may take." })
  maxStoredBytes!: number;

  @Field(() => Float, { description: "Bytes that one's photos and outputs take." })
  storedBytes!: number;

  @Field(() => Int, { description: "Pixels that one photo may have." })
  maxPhotoPixels!: number;
}
