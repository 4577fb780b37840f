import { Arg, Ctx, ID, Query, Resolver } from "type-graphql";
import { InvalidInputError } from "../../domain/errors.js";
import { isUuid } from "../../services/reads/ids.js";
import type { Context } from "../context.js";
import { Node } from "./node.type.js";

@Resolver()
export class NodeResolver {
  @Query(() => Node, {
    nullable: true,
    description:
      "The User, Job, QueuedJob, JobGroup or Photo with this id; null if it does not exist or " +
      "is not visible to you.",
  })
  async node(
    @Arg("id", () => ID, { description: "A UUID, or the id of a Job." }) id: string,
    @Ctx() context: Context,
  ): Promise<object | null> {
    if (id === "") throw InvalidInputError.at(["id"], "must not be empty");
    return isUuid(id)
      ? findByUuid(id.toLowerCase(), context)
      : named("Job", await context.jobs.find(id));
  }
}

async function findByUuid(
  id: string,
  { user, users, queuedJobs, photos }: Context,
): Promise<object | null> {
  const [queuedJob, group, photo, [person]] = await Promise.all([
    queuedJobs.find(user, id),
    queuedJobs.findGroup(user, id),
    photos.find(user, id),
    users.findMany([id]),
  ]);
  const visible = person && (person.id === user.id || user.role === "ADMIN") ? person : null;
  return (
    named("QueuedJob", queuedJob) ??
    named("JobGroup", group) ??
    named("Photo", photo) ??
    named("User", visible)
  );
}

function named(typename: string, row: object | null): object | null {
  return row && { __typename: typename, ...row };
}
