import { Arg, Args, Ctx, Extensions, FieldResolver, Query, Resolver, Root } from "type-graphql";
import { encodePageCursor } from "../../domain/cursors.js";
import { InvalidInputError } from "../../domain/errors.js";
import type { Job } from "../../services/jobs/jobs.js";
import { cutPage } from "../../services/reads/page.js";
import type { Context } from "../context.js";
import { createConnection, type Connection, defineConnectionType } from "../paging/connection.js";
import type { FieldCost } from "../limits/measure-operation.js";
import { PageArgs, parsePageRequest } from "../paging/page-request.js";
import { JobType } from "./job.type.js";

const { ConnectionType: JobConnection, ConnectionResolver } = defineConnectionType("Job", JobType);
export const JobConnectionResolver = ConnectionResolver;

const PAGE = { rows: 50 } satisfies FieldCost;

@Resolver(() => JobType)
export class JobResolver {
  @Query(() => JobType, {
    nullable: true,
    description: "The Job with this name; null if there is none.",
  })
  async job(
    @Arg("name", () => String, { description: "For example `thumbnail`." }) name: string,
    @Ctx() { jobs }: Context,
  ): Promise<Job | null> {
    if (name === "") throw InvalidInputError.at(["name"], "must not be empty");
    return jobs.find(name);
  }

  @Extensions(PAGE)
  @Query(() => JobConnection, { description: "All Jobs, ordered by name." })
  async jobs(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { user, jobs, budget }: Context,
  ): Promise<Connection<Job>> {
    const range = parsePageRequest(args, { userId: user.id, list: "jobs" }, PAGE.rows);
    const all = await jobs.list();
    const page = cutPage(all, range, { keyOf: ({ name }) => name, descending: false });
    budget.takeNodes(page.rows.length);
    return createConnection({
      page,
      cursorOf: (job) =>
        encodePageCursor({ userId: user.id, list: "jobs", key: job.name, stream: null }),
      countTotal: async () => all.length,
    });
  }

  @FieldResolver()
  async paused(@Root() { name }: Job, @Ctx() { pauses }: Context): Promise<boolean> {
    return (await pauses.known()).jobs.has(name);
  }
}
