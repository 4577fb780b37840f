import { Field, Float, Int, ObjectType } from "type-graphql";

@ObjectType({ simpleResolvers: true, description: "What one may still do." })
export class UserLimits {
  @Field(() => Int, { description: "Unfinished QueuedJobs one may have." })
  maxUnfinished!: number;

  @Field(() => Int, { description: "Unfinished QueuedJobs one has." })
  unfinished!: number;

  @Field(() => Int, { description: "Bytes that one upload may have." })
  maxUploadBytes!: number;

  @Field(() => Float, { description: "Bytes that one's photos and outputs may take." })
  maxStoredBytes!: number;

  @Field(() => Float, { description: "Bytes that one's photos and outputs take." })
  storedBytes!: number;

  @Field(() => Int, { description: "Pixels that one photo may have." })
  maxPhotoPixels!: number;
}
