import { Field, ObjectType } from "type-graphql";
import { DateTime } from "../scalars.js";

@ObjectType({ simpleResolvers: true, description: "What runs here." })
export class ServiceInfo {
  @Field(() => String, { description: "Of the release." })
  version!: string;

  @Field(() => String, {
    nullable: true,
    description: "The commit it was built from, where that is known.",
  })
  revision!: string | null;

  @Field(() => DateTime, { description: "When this process started." })
  startedAt!: Date;
}
