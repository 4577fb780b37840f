import { ArgsType, Field, Int } from "type-graphql";

/** The arguments of a list whose pages have 20 rows by default. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, defaultValue: 20, description: "How many rows, 1 to 100." })
  first!: number | null;

  @Field(() => String, {
    nullable: true,
    description: "The cursor behind which the page begins; without it, the first page.",
  })
  after!: string | null;
}
