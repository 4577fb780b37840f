import { Extensions, Field, Float, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import { Node } from "../node/node.type.js";
import { DateTime } from "../scalars.js";

const Role = { USER: "USER", ADMIN: "ADMIN" } as const;

registerEnumType(Role, {
  name: "Role",
  description: "The permissions of a user.",
  valuesConfig: {
    USER: { description: "Full access to the user's own data." },
    ADMIN: {
      description:
        "Can also read the data of all users, and cancel, retry and delete their QueuedJobs.",
    },
  },
});

@ObjectType("User", {
  simpleResolvers: true,
  implements: Node,
  description: "A user account, created when a valid token of the user is first received.",
})
export class UserType {
  @Field(() => ID, { description: "A UUID." })
  id!: string;

  @Field(() => String, { description: "E-mail address from the newest token." })
  email!: string;

  @Field(() => String, {
    description: "Name from the newest token, or the part of the e-mail before @.",
  })
  name!: string;

  @Extensions({ cost: 10 })
  @Field(() => String, {
    nullable: true,
    description: "URL of a portrait, from the newest token.",
  })
  picture!: string | null;

  @Field(() => Role, { description: "The permissions of this user." })
  role!: keyof typeof Role;

  @Field(() => DateTime, { description: "When a token of this user was first received." })
  createdAt!: Date;
}

@ObjectType({ simpleResolvers: true, description: "Limits and current usage of a user." })
export class UserLimits {
  @Field(() => Int, { description: "Maximum number of unfinished QueuedJobs." })
  maxUnfinished!: number;

  @Field(() => Int, { description: "Current number of unfinished QueuedJobs." })
  unfinished!: number;

  @Field(() => Int, { description: "Maximum bytes per upload." })
  maxUploadBytes!: number;

  @Field(() => Float, { description: "Maximum bytes of all stored photos and outputs." })
  maxStoredBytes!: number;

  @Field(() => Float, { description: "Current bytes of all stored photos and outputs." })
  storedBytes!: number;

  @Field(() => Int, { description: "Maximum pixels per photo." })
  maxPhotoPixels!: number;

  @Field(() => Boolean, {
    description:
      "True if an operator has paused this user's jobs: submissions are accepted and wait.",
  })
  paused!: boolean;
}
