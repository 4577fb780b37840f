import { Field, Float, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import { Node } from "../node/node.type.js";
import { defineConnectionType } from "../paging/connection.js";
import { DateTime, LocalDate, LocalDateTime } from "../scalars.js";

@ObjectType("GeoPoint", { simpleResolvers: true, description: "A place on the earth." })
export class GeoPoint {
  @Field(() => Float, { description: "Degrees, north positive." })
  latitude!: number;

  @Field(() => Float, { description: "Degrees, east positive." })
  longitude!: number;

  @Field(() => Float, { nullable: true, description: "Metres; null if the file does not say." })
  altitude!: number | null;
}

export const ImageFormat = { AVIF: "avif", WEBP: "webp", JPEG: "jpeg" } as const;
export type ImageFormat = (typeof ImageFormat)[keyof typeof ImageFormat];

registerEnumType(ImageFormat, {
  name: "ImageFormat",
  description: "The format of an image of a photo.",
  valuesConfig: {
    AVIF: { description: "Smallest; takes the longest to make." },
    WEBP: { description: "Small; all current browsers show it." },
    JPEG: { description: "For old browsers, mail and print. Transparent parts become white." },
  },
});

@ObjectType("Photo", { simpleResolvers: true, implements: Node, description: "An uploaded image." })
export class PhotoType {
  @Field(() => ID, { description: "UUIDv7." })
  id!: string;

  @Field(() => String, { description: "File name from the upload." })
  filename!: string;

  @Field(() => String, { description: "Media type, detected from the content." })
  mimeType!: string;

  @Field(() => Int, { description: "Width of the upright image in pixels." })
  width!: number;

  @Field(() => Int, { description: "Height of the upright image in pixels." })
  height!: number;

  @Field(() => Int, { description: "Size of the file in bytes." })
  byteSize!: number;

  @Field(() => String, { description: "SHA-256 of the file, hexadecimal." })
  sha256!: string;

  @Field(() => DateTime, { description: "When it was uploaded." })
  createdAt!: Date;

  @Field(() => String, {
    nullable: true,
    description: "ThumbHash of the image, base64; null if it could not be computed.",
  })
  thumbhash!: string | null;

  @Field(() => LocalDateTime, {
    nullable: true,
    description: "When it was taken, by the camera's clock; null if the file does not say.",
  })
  takenAt!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Offset of that clock from UTC, such as +02:00; null if the file does not say.",
  })
  takenAtOffset!: string | null;

  @Field(() => String, { nullable: true, description: "Make and model of the camera in one text." })
  camera!: string | null;

  @Field(() => String, { nullable: true, description: "The lens; null if the file does not say." })
  lens!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Why its picture could not be decoded; null if it could.",
  })
  damaged!: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      "Id of the QueuedJob whose output this photo was; null for an upload. It stays when that " +
      "QueuedJob is deleted.",
  })
  madeBy!: string | null;
}

@ObjectType("PhotoDay", { simpleResolvers: true, description: "The photos of one day." })
export class PhotoDayType {
  @Field(() => LocalDate, {
    nullable: true,
    description: "By the camera's clock; null for the photos without a time.",
  })
  day!: string | null;

  @Field(() => Int, { description: "Number of photos." })
  count!: number;
}

const { ConnectionType, ConnectionResolver } = defineConnectionType("Photo", PhotoType);
export const PhotoConnectionResolver = ConnectionResolver;

@ObjectType("PhotoConnection", {
  simpleResolvers: true,
  description: "A page of a list of Photos, with the position of the event stream.",
})
export class PhotoConnection extends ConnectionType {
  @Field(() => String, {
    description:
      "As `QueuedJobConnection.eventCursor`: the position of the event stream when the first " +
      "page was read. It serves `photoEvents` and `queuedJobEvents`.",
  })
  eventCursor!: string;
}
