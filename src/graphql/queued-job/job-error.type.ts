import { Extensions, Field, ObjectType } from "type-graphql";

@ObjectType({ simpleResolvers: true, description: "Why an attempt failed." })
export class JobError {
  @Field(() => String, {
    description:
      "What the task said, or TIMEOUT, STALLED, PHOTO_UNREADABLE, PHOTO_TOO_LARGE, TASK_FAILED.",
  })
  code!: string;

  @Extensions({ cost: 5 })
  @Field(() => String, { description: "A sentence for people." })
  message!: string;
}
