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
  @Query(() => UserType, { description: "The signed-in user." })
  async me(@Ctx() { user, users }: Context): Promise<User> {
    // Read the row: the session's user is cached, and the account can have been deleted.
    const [me] = await users.findMany([user.id]);
    if (!me) throw UnauthenticatedError.accountDeleted();
    return me;
  }

  @Query(() => UserType, {
    nullable: true,
    description:
      "A user by id: yourself, or any user for an admin. Null if it does not exist or is not " +
      "visible to you.",
  })
  async user(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, users }: Context,
  ): Promise<User | null> {
    const userId = parseId(id);
    return userId === user.id || user.role === "ADMIN"
      ? ((await users.findMany([userId]))[0] ?? null)
      : null;
  }

  @Query(() => UserConnection, { description: "All users, oldest first. Admins only." })
  async users(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { user, users, budget }: Context,
  ): Promise<Connection<User>> {
    if (user.role !== "ADMIN") throw new ForbiddenError("Only an admin may list users.");
    const range = parseUuidPageRequest(args, { userId: user.id, list: "users" });
    const page = await users.page(range);
    budget.takeNodes(page.rows.length);
    return createConnection({
      page,
      cursorOf: (row) =>
        encodePageCursor({ userId: user.id, list: "users", key: row.id, stream: null }),
      countTotal: () => users.count(MAX_COUNTED),
    });
  }

  @Mutation(() => Boolean, {
    description:
      "Deletes your account with its photos, QueuedJobs, events and files, and cancels " +
      "running work. A later valid token creates a new User.",
  })
  async deleteMe(@Ctx() { user, accounts }: Context): Promise<boolean> {
    await accounts.remove(user.id);
    return true;
  }

  @Extensions({ cost: 10 })
  @FieldResolver(() => UserLimits, {
    description: "Limits and current usage; visible to the user and to admins.",
  })
  async limits(@Root() root: User, @Ctx() context: Context): Promise<UserLimits> {
    assertVisible(root, context.user);
    const [{ pending, storedBytes }, { users }] = await Promise.all([
      loadersOf(context).counters.load(root.id),
      context.pauses.known(),
    ]);
    const paused = users.has(root.id);
    return { ...context.limits, unfinished: pending, storedBytes, paused };
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
      description: "Conditions on the QueuedJobs. Default: all.",
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
    throw new ForbiddenError("This field is visible only to the user and to admins.");
}
