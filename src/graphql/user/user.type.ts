import { Extensions, Field, ID, ObjectType } from "type-graphql";
import { Node } from "../node/node.type.js";
import { DateTime } from "../scalars.js";
import { Role } from "./role.enum.js";

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
