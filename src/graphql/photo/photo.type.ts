import { Field, ID, Int, ObjectType } from "type-graphql";
import { Node } from "../node/node.type.js";
import { DateTime } from "../scalars.js";

@ObjectType("Photo", { simpleResolvers: true, implements: Node, description: "An uploaded image." })
export class PhotoType {
  @Field(() => ID, { description: "UUIDv7." })
  id!: string;

  @Field(() => String, { description: "As it was uploaded." })
  filename!: string;

  @Field(() => String, { description: "By its bytes, whatever it was called." })
  mimeType!: string;

  @Field(() => Int, { description: "Pixels, of the upright picture." })
  width!: number;

  @Field(() => Int, { description: "Pixels, of the upright picture." })
  height!: number;

  @Field(() => Int, { description: "Bytes of the file." })
  byteSize!: number;

  @Field(() => String, { description: "SHA-256 of the bytes, hex." })
  sha256!: string;

  @Field(() => DateTime, { description: "When it was uploaded." })
  createdAt!: Date;

  @Field(() => String, {
    nullable: true,
    description: "ThumbHash of the picture, base64; null when it could not be made.",
  })
  thumbhash!: string | null;
}
