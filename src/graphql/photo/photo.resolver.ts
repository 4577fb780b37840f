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
import { parseId } from "../../services/reads/ids.js";
import type { Photo } from "../../services/photos/photos.js";
import type { Context } from "../context.js";
import type { FieldCost } from "../limits/measure-operation.js";
import {
  createConnection,
  MAX_COUNTED,
  type Connection,
  defineConnectionType,
} from "../paging/connection.js";
import { PageArgs, parseUuidPageRequest } from "../paging/page-request.js";
import { LIST_COST, listQueuedJobs, type QueuedJobList } from "../queued-job/list-queued-jobs.js";
import { QueuedJobConnection } from "../queued-job/queued-job.type.js";
import { PhotoType } from "./photo.type.js";
import { DateTime } from "../scalars.js";
import { signedPreviewUrl, signedUrl, urlExpiryOf } from "./signed-urls.js";

/** The URL is long, and has to be signed. */
const URL_COST: FieldCost = { cost: 3 };

const { ConnectionType: PhotoConnection, ConnectionResolver } = defineConnectionType(
  "Photo",
  PhotoType,
);
export const PhotoConnectionResolver = ConnectionResolver;

@Resolver(() => PhotoType)
export class PhotoResolver {
  @Query(() => PhotoType, {
    nullable: true,
    description:
      "A photo by id: your own, or any for an admin. Null if it does not exist or is not " +
      "visible to you.",
  })
  photo(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, photos }: Context,
  ): Promise<Photo | null> {
    return photos.find(user, parseId(id));
  }

  @Query(() => PhotoConnection, { description: "Your photos, newest first." })
  async photos(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { user, photos, budget }: Context,
  ): Promise<Connection<Photo>> {
    const range = parseUuidPageRequest(args, { userId: user.id, list: "photos" });
    const page = await photos.page({ userId: user.id, ...range });
    budget.takeNodes(page.rows.length);
    return createConnection({
      page,
      cursorOf: (row) =>
        encodePageCursor({ userId: user.id, list: "photos", key: row.id, stream: null }),
      countTotal: () => photos.count(user.id, MAX_COUNTED),
    });
  }

  @Mutation(() => ID, {
    description:
      "Deletes one of your photos and its files. CONFLICT while unfinished QueuedJobs use it.",
  })
  async deletePhoto(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, photos }: Context,
  ): Promise<string> {
    const photoId = parseId(id);
    await photos.remove(user.id, photoId);
    return photoId;
  }

  @Extensions(URL_COST)
  @FieldResolver(() => String, { description: "Signed URL of the file; it expires." })
  url(@Root() photo: Photo, @Ctx() { fileUrls }: Context): string | Promise<string> {
    return signedUrl.of(fileUrls, photo);
  }

  @Extensions(URL_COST)
  @FieldResolver(() => String, {
    nullable: true,
    description:
      "Signed URL of a small upright WebP (at most 512 px), created at upload; null if that " +
      "failed.",
  })
  previewUrl(
    @Root() photo: Photo,
    @Ctx() { fileUrls }: Context,
  ): string | null | Promise<string | null> {
    return signedPreviewUrl.of(fileUrls, photo);
  }

  @FieldResolver(() => DateTime, {
    description: "When `url` and `previewUrl` expire; a later read returns new URLs.",
  })
  urlExpiresAt(@Root() photo: Photo, @Ctx() { fileUrls }: Context): Date {
    return urlExpiryOf(fileUrls, photo);
  }

  @Extensions({ cost: LIST_COST })
  @FieldResolver(() => QueuedJobConnection, {
    description: "The QueuedJobs that use this photo, newest first.",
  })
  queuedJobs(
    @Root() photo: Photo,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<QueuedJobList> {
    return listQueuedJobs(
      context,
      args,
      { userId: photo.userId, photoId: photo.id, filter: null },
      info,
    );
  }
}
