import { Field, ObjectType } from "type-graphql";

@ObjectType({ simpleResolvers: true, description: "Forward paging only." })
export class PageInfo {
  @Field(() => Boolean, { description: "Whether rows follow this page." })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: "True when `after` was given." })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the first row; null on an empty page.",
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the last row, to be passed as `after`; null on an empty page.",
  })
  endCursor!: string | null;
}
