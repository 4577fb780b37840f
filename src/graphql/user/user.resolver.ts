import type { GraphQLResolveInfo } from "graphql";
import {
  Arg,
  Args,
  Ctx,
  Extensions,
  FieldResolver,
  ID,
  Info,
  Mutation,
  Query,
  Resolver,
  Root,
} from "type-graphql";
import { encodePageCursor } from "../../domain/cursors.js";
import { ForbiddenError, UnauthenticatedError } from "../../domain/errors.js";
import { parseId } from "../../services/reads/ids.js";
import type { User } from "../../services/users/users.js";
import type { Context } from "../context.js";
import { loadersOf } from "../loaders.js";
import {
  createConnection,
  MAX_COUNTED,
  type Connection,
  defineConnectionType,
} from "../paging/connection.js";
import { PageArgs, parseUuidPageRequest } from "../paging/page-request.js";
import { QueuedJobConnection } from "../queued-job/queued-job.type.js";
import { QueuedJobFilterInput } from "../queued-job/queued-job-filter.input.js";
import { LIST_COST, listQueuedJobs, type QueuedJobList } from "../queued-job/list-queued-jobs.js";
import { UserLimits, UserType } from "./user.type.js";

const { ConnectionType: UserConnection, ConnectionResolver } = defineConnectionType(
  "User",
  UserType,
);
export const UserConnectionResolver = ConnectionResolver;

@Resolver(() => UserType)
export class UserResolver {
  @Query(() => UserType, { description: "Oneself." })
  async me(@Ctx() { user, users }: Context): Promise<User> {
    // All else is read from rows, or refused by them; this alone would be answered from what is
    // remembered of a user.
    const [me] = await users.findMany([user.id]);
    if (!me) throw UnauthenticatedError.accountDeleted();
    return me;
  }

  @Query(() => UserType, {
    nullable: true,
    description:
      "Oneself, or anybody for an admin; null when there is none or it is not yours to see.",
  })
  async user(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, users }: Context,
  ): Promise<User | null> {
    const wanted = parseId(id);
    return wanted === user.id || user.role === "ADMIN"
      ? ((await users.findMany([wanted]))[0] ?? null)
      : null;
  }

  @Query(() => UserConnection, { description: "Everybody, oldest first. Admins only." })
  async users(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { user, users, budget }: Context,
  ): Promise<Connection<User>> {
    if (user.role !== "ADMIN") throw new ForbiddenError("Only an admin may list users.");
    const { first, after } = parseUuidPageRequest(args, { userId: user.id, list: "users" });
    const rows = await users.page({ first: first + 1, afterId: after?.key ?? null });
    budget.takeNodes(rows.length);
    return createConnection({
      rows: rows.slice(0, first),
      hasMore: rows.length > first,
      isFirst: after === null,
      cursorOf: (row) =>
        encodePageCursor({ userId: user.id, list: "users", key: row.id, stream: null }),
      countTotal: () => users.count(MAX_COUNTED),
    });
  }

  @Mutation(() => Boolean, {
    description:
      "Oneself and all that is one's own: running work is cancelled, rows, events and " +
      "files go. A later valid token makes a new User.",
  })
  async deleteMe(@Ctx() { user, accounts }: Context): Promise<boolean> {
    await accounts.remove(user.id);
    return true;
  }

  @Extensions({ cost: 10 })
  @FieldResolver(() => UserLimits, {
    description: "What one may still do; visible to the user and to admins.",
  })
  async limits(@Root() root: User, @Ctx() context: Context): Promise<UserLimits> {
    assertVisible(root, context.user);
    const { pending, storedBytes } = await loadersOf(context).counters.load(root.id);
    return { ...context.limits, unfinished: pending, storedBytes };
  }

  @Extensions({ cost: LIST_COST })
  @FieldResolver(() => QueuedJobConnection, {
    description: "This user's QueuedJobs, newest first; visible to the user and to admins.",
  })
  async queuedJobs(
    @Root() root: User,
    @Args(() => PageArgs) args: PageArgs,
    @Arg("filter", () => QueuedJobFilterInput, {
      nullable: true,
      description: "Which ones; all without it.",
    })
    filter: QueuedJobFilterInput | null,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<QueuedJobList> {
    assertVisible(root, context.user);
    return listQueuedJobs(context, args, { userId: root.id, photoId: null, filter }, info);
  }
}

function assertVisible(root: User, viewer: User): void {
  if (root.id !== viewer.id && viewer.role !== "ADMIN")
    throw new ForbiddenError("This is visible to the user and to admins only.");
}
