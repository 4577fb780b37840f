import { ArgsType, Field, Int } from "type-graphql";
import {
  decodePageCursor,
  malformedCursor,
  type List,
  type PageCursor,
} from "../../domain/cursors.js";
import { InvalidInputError } from "../../domain/errors.js";
import { isUuid } from "../../services/reads/ids.js";
import { MAX_ROWS } from "../limits/limits.js";

/** What a list was asked for, checked. */
interface PageRequest {
  first: number;
  after: Pick<PageCursor, "key" | "stream"> | null;
}

/**
 * `first` and `after` as they came. Throws InvalidInputError on `first` outside 1 to MAX_ROWS, and
 * on a cursor that is not the user's or not of this list.
 */
export function parsePageRequest(
  args: { first: number | null | undefined; after: string | null | undefined },
  of: { userId: string; list: List },
  standard = 20,
): PageRequest {
  const first = args.first ?? standard;
  if (first < 1 || first > MAX_ROWS)
    throw InvalidInputError.at(["first"], `must be 1 to ${MAX_ROWS}`);
  const after = args.after ?? null;
  return { first, after: after === null ? null : decodePageCursor(after, of) };
}

/** As `parsePageRequest`, for lists whose rows have UUIDs. */
export function parseUuidPageRequest(
  args: { first: number | null | undefined; after: string | null | undefined },
  of: { userId: string; list: List },
): PageRequest {
  const request = parsePageRequest(args, of);
  if (request.after && !isUuid(request.after.key)) throw malformedCursor();
  return request;
}

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
