import { Ctx, Query, Resolver } from "type-graphql";
import type { Context } from "../context.js";
import { ServiceInfo } from "./service-info.type.js";

@Resolver()
export class ServiceInfoResolver {
  @Query(() => ServiceInfo, { description: "What runs here." })
  service(@Ctx() { info }: Context): ServiceInfo {
    return info;
  }
}
