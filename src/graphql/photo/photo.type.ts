import { Field, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import { Node } from "../node/node.type.js";
import { DateTime } from "../scalars.js";

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

  @Field(() => ID, {
    nullable: true,
    description:
      "Id of the QueuedJob whose output this photo was; null for an upload. It stays when that " +
      "QueuedJob is deleted.",
  })
  madeBy!: string | null;
}
