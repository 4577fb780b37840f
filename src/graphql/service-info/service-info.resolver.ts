import { Ctx, Field, ObjectType, Query, Resolver } from "type-graphql";
import type { Context } from "../context.js";
import { DateTime } from "../scalars.js";

@ObjectType({ simpleResolvers: true, description: "Version and start time of this service." })
class ServiceInfo {
  @Field(() => String, { description: "Release version." })
  version!: string;

  @Field(() => String, {
    nullable: true,
    description: "Git commit of the build; null if unknown.",
  })
  revision!: string | null;

  @Field(() => DateTime, { description: "When this process started." })
  startedAt!: Date;
}

@Resolver()
export class ServiceInfoResolver {
  @Query(() => ServiceInfo, { description: "Version and start time of this service." })
  service(@Ctx() { info }: Context): ServiceInfo {
    return info;
  }
}
