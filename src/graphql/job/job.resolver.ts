import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from "type-graphql";
import { encodePageCursor } from "../../domain/cursors.js";
import { InvalidInputError } from "../../domain/errors.js";
import type { Job } from "../../services/jobs/jobs.js";
import type { Context } from "../context.js";
import { createConnection, type Connection, defineConnectionType } from "../paging/connection.js";
import { parsePageRequest } from "../paging/page-request.js";
import { JobType } from "./job.type.js";

const { ConnectionType: JobConnection, ConnectionResolver } = defineConnectionType("Job", JobType);
export const JobConnectionResolver = ConnectionResolver;

const PAGE_SIZE = 50;

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

  @Query(() => JobConnection, { description: "All Jobs, ordered by name." })
  async jobs(
    @Arg("first", () => Int, {
      nullable: true,
      defaultValue: PAGE_SIZE,
      description: "Page size, 1 to 100.",
    })
    first: number | null,
    @Arg("after", () => String, {
      nullable: true,
      description: "Cursor of the row before the page. Default: the first page.",
    })
    after: string | null,
    @Ctx() { user, jobs, budget }: Context,
  ): Promise<Connection<Job>> {
    const page = parsePageRequest({ first, after }, { userId: user.id, list: "jobs" }, PAGE_SIZE);
    const all = await jobs.list();
    const rest = all.filter((job) => page.after === null || job.name > page.after.key);
    const rows = rest.slice(0, page.first);
    budget.takeNodes(rows.length);
    return createConnection({
      rows,
      hasMore: rest.length > page.first,
      isFirst: page.after === null,
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
