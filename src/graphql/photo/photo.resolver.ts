import type { GraphQLResolveInfo } from "graphql";
import {
  Arg,
  Args,
  Ctx,
  Extensions,
  FieldResolver,
  ID,
  Info,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
} from "type-graphql";
import { InvalidInputError } from "../../domain/errors.js";
import { parseId } from "../../services/reads/ids.js";
import type { Photo } from "../../services/photos/photos.js";
import type { Context } from "../context.js";
import type { PhotoOrder } from "../../services/reads/photo-filter.js";
import type { PhotoDay } from "../../services/reads/photo-library.js";
import type { FieldCost } from "../limits/measure-operation.js";
import type { Connection } from "../paging/connection.js";
import { PageArgs } from "../paging/page-request.js";
import { LIST_COST, listQueuedJobs, type QueuedJobList } from "../queued-job/list-queued-jobs.js";
import { QueuedJobConnection } from "../queued-job/queued-job.type.js";
import { imageSrcset, imageUrl } from "../../services/photos/photo-urls.js";
import { DateTime } from "../scalars.js";
import { listPhotos } from "./list-photos.js";
import { parsePhotoFilter, PhotoFilterInput, PhotoOrderEnum } from "./photo-filter.input.js";
import { GeoPoint, ImageFormat, PhotoConnection, PhotoDayType, PhotoType } from "./photo.type.js";
import { signedPreviewUrl, signedUrl, urlExpiryOf } from "./signed-urls.js";

/** The URL is long, and has to be signed. */
const URL_COST: FieldCost = { cost: 3 };
/** A URL for each width of the ladder. */
const SRCSET_COST: FieldCost = { cost: 40 };
/** A picture is hashed and decoded. */
const KEEP_COST: FieldCost = { cost: 1000 };

/** The statement may read all photos of the user. */
const DAYS_COST: FieldCost = { cost: 1000, maxItems: 100 };
/** Maximum days in an answer: those of a century. */
const MAX_DAYS = 36_525;

const FILTER_OPTIONS = {
  nullable: true,
  description: "Conditions on the photos. Default: all.",
} as const;

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
  photos(
    @Args(() => PageArgs) args: PageArgs,
    @Arg("filter", () => PhotoFilterInput, FILTER_OPTIONS) filter: PhotoFilterInput | null,
    @Arg("orderBy", () => PhotoOrderEnum, {
      nullable: true,
      defaultValue: "UPLOADED",
      description: "The order; it belongs to the cursors of the list.",
    })
    orderBy: PhotoOrder | null,
    @Ctx() context: Context,
  ): Promise<Connection<Photo>> {
    return listPhotos(context, args, { filter, order: orderBy ?? "UPLOADED" });
  }

  @Extensions(DAYS_COST)
  @Query(() => [PhotoDayType], {
    description:
      "How many photos were taken on each day, newest first; those without a time under null.",
  })
  async photosByDay(
    @Arg("filter", () => PhotoFilterInput, FILTER_OPTIONS) filter: PhotoFilterInput | null,
    @Ctx() context: Context,
  ): Promise<PhotoDay[]> {
    const { user, photoLibrary } = context;
    const query = { userId: user.id, filter: await parsePhotoFilter(filter, context) };
    return photoLibrary.days(query, MAX_DAYS);
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

  @Extensions(KEEP_COST)
  @Mutation(() => PhotoType, {
    description:
      "Copies a picture among the outputs of your QueuedJob to your photos, so that it outlives " +
      "the QueuedJob. The same bytes give the same Photo. BAD_USER_INPUT if the output is not a " +
      "picture.",
  })
  keepOutput(
    @Arg("queuedJobId", () => ID, { description: "A UUID." }) queuedJobId: string,
    @Arg("name", () => String, { description: "Name of the output." }) name: string,
    @Ctx() { user, keptOutputs, log }: Context,
  ): Promise<Photo> {
    const output = { queuedJobId: parseId(queuedJobId, ["queuedJobId"]), name };
    return keptOutputs.keep(user, output, log());
  }

  @Extensions(URL_COST)
  @FieldResolver(() => String, {
    description:
      "Signed URL of this photo at about `width` pixels: upright, sRGB, without metadata. It is " +
      "made when it is first requested. The width is rounded up to the next of a fixed ladder " +
      "and never exceeds the photo's. The URL stays the same for hours.",
  })
  image(
    @Root() photo: Photo,
    @Arg("width", () => Int, { description: "Pixels, 1 or more." }) width: number,
    @Arg("format", () => ImageFormat, {
      nullable: true,
      defaultValue: ImageFormat.WEBP,
      description: "Format of the image.",
    })
    format: ImageFormat | null,
    @Ctx() { fileUrls }: Context,
  ): string {
    return imageUrl(fileUrls, photo, {
      width: checkWidth(width, "width"),
      format: format ?? ImageFormat.WEBP,
    });
  }

  @Extensions(SRCSET_COST)
  @FieldResolver(() => String, {
    description:
      "Value for an attribute `srcset`: every width of the ladder up to the photo's own, or up " +
      "to `maxWidth`; at least the narrowest.",
  })
  srcset(
    @Root() photo: Photo,
    @Arg("format", () => ImageFormat, {
      nullable: true,
      defaultValue: ImageFormat.WEBP,
      description: "Format of the images.",
    })
    format: ImageFormat | null,
    @Arg("maxWidth", () => Int, { nullable: true, description: "Pixels, 1 or more." })
    maxWidth: number | null | undefined,
    @Ctx() { fileUrls }: Context,
  ): string {
    return imageSrcset(fileUrls, photo, {
      maxWidth: checkWidth(maxWidth ?? Infinity, "maxWidth"),
      format: format ?? ImageFormat.WEBP,
    });
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

  @FieldResolver(() => GeoPoint, {
    nullable: true,
    description: "Where it was taken; null if the file does not say.",
  })
  location(@Root() { latitude, longitude, altitude }: Photo): GeoPoint | null {
    return latitude === null || longitude === null ? null : { latitude, longitude, altitude };
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

function checkWidth(width: number, name: string): number {
  if (width >= 1) return width;
  throw InvalidInputError.at([name], `must be 1 or more; got ${width}`);
}
