import { Extensions, Field, Int, ObjectType } from "type-graphql";

@ObjectType({ simpleResolvers: true, description: "A file that a task made." })
export class OutputFile {
  @Field(() => String, { description: "Unique among the outputs of its QueuedJob." })
  name!: string;

  @Field(() => String, { description: "E.g. `image/webp`." })
  mimeType!: string;

  @Field(() => Int, { description: "Bytes of the file." })
  byteSize!: number;

  @Field(() => Int, { nullable: true, description: "Pixels; null where it is no picture." })
  width!: number | null;

  @Field(() => Int, { nullable: true, description: "Pixels; null where it is no picture." })
  height!: number | null;

  @Extensions({ cost: 3 })
  @Field(() => String, { description: "Signed, expiring URL of the bytes." })
  url!: string;
}
