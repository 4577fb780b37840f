import { Ctx, Field, ObjectType, Query, Resolver } from "type-graphql";
import type { Context } from "../context.js";
import { DateTime } from "../scalars.js";

@ObjectType({ simpleResolvers: true, description: "What runs here." })
class ServiceInfo {
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

@Resolver()
export class ServiceInfoResolver {
  @Query(() => ServiceInfo, { description: "What runs here." })
  service(@Ctx() { info }: Context): ServiceInfo {
    return info;
  }
}
