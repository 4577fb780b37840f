import {
  Arg,
  Ctx,
  Field,
  ObjectType,
  registerEnumType,
  Resolver,
  Root,
  Subscription,
} from "type-graphql";
import { decodeStreamCursor, encodeStreamCursor } from "../../domain/cursors.js";
import type {
  PhotoEvent,
  PhotoEventType as EventType,
  PhotoSnapshot,
} from "../../domain/photo-event.js";
import type { Instant } from "../../domain/queued-job.js";
import type { DeliveredEvent } from "../../events/subscription.js";
import type { Photo } from "../../services/photos/photos.js";
import type { Context } from "../context.js";
import { DateTime } from "../scalars.js";
import { PhotoType } from "./photo.type.js";

const PhotoEventTypeEnum = {
  ADDED: "ADDED",
  PREVIEWED: "PREVIEWED",
  CHANGED: "CHANGED",
  DELETED: "DELETED",
} as const satisfies Record<EventType, EventType>;

registerEnumType(PhotoEventTypeEnum, {
  name: "PhotoEventType",
  description: "The kind of an event of a photo.",
  valuesConfig: {
    ADDED: { description: "Uploaded, or kept from the outputs of a QueuedJob." },
    PREVIEWED: {
      description:
        "Its preview, thumbhash, metadata or damage became known after the upload was answered.",
    },
    CHANGED: { description: "Another field changed." },
    DELETED: { description: "Deleted by its owner; always the last event." },
  },
});

@ObjectType("PhotoEvent", { simpleResolvers: true, description: "A change of a photo." })
class PhotoEventType {
  @Field(() => String, {
    description: "Resume point: pass it as `after` to continue with the next event.",
  })
  cursor!: string;

  @Field(() => PhotoEventTypeEnum, { description: "The kind of the event." })
  type!: EventType;

  @Field(() => DateTime, { description: "When it happened." })
  at!: Instant;

  @Field(() => PhotoType, {
    description: "The photo at the time of the event; its URLs are signed when it is sent.",
  })
  photo!: Photo;
}

@Resolver()
export class PhotoEventResolver {
  @Subscription(() => PhotoEventType, {
    description:
      "The events of your photos, in order, each exactly once, across reconnects and server " +
      "restarts. They share one order with the events of your QueuedJobs: a cursor of either " +
      "stream resumes either one.",
    subscribe: ({ args, context: { user, feed } }: { args: Arguments; context: Context }) =>
      feed.openPhotos({
        userId: user.id,
        after: args.after == null ? null : decodeStreamCursor(args.after, user.id),
      }),
  })
  photoEvents(
    @Root() { event, cursorSeq, epoch }: DeliveredEvent<PhotoEvent>,
    @Arg("after", () => String, {
      nullable: true,
      description:
        "The cursor of an event of either stream, or the `eventCursor` of a page: the stream " +
        "continues behind it. Default: the stream starts with the next event.",
    })
    _after: string | null,
    @Ctx() { user }: Context,
  ): PhotoEventType {
    const cursor = encodeStreamCursor({ epoch, userId: user.id, seq: cursorSeq });
    return { ...event, cursor, photo: photoOf(event.photo) };
  }
}

interface Arguments {
  after?: string | null;
}

/** The snapshot as a row; the resolvers of a photo do not read what it lacks. */
function photoOf({ createdAt, ...photo }: PhotoSnapshot): Photo {
  return {
    ...photo,
    createdAt: new Date(createdAt),
    phash: null,
    renditions: [],
    renditionError: null,
    previewAttempts: 0,
    metadataTries: 0,
  };
}
