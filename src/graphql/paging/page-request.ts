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

interface PageRequest {
  first: number;
  after: Pick<PageCursor, "key" | "stream"> | null;
}

/**
 * Validates `first` and `after`. Throws InvalidInputError when `first` is outside 1 to MAX_ROWS, or
 * when the cursor belongs to another user or list.
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

/** Like `parsePageRequest`, for lists whose rows have UUIDs. */
export function parseUuidPageRequest(
  args: { first: number | null | undefined; after: string | null | undefined },
  of: { userId: string; list: List },
): PageRequest {
  const request = parsePageRequest(args, of);
  if (request.after && !isUuid(request.after.key)) throw malformedCursor();
  return request;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, defaultValue: 20, description: "Page size, 1 to 100." })
  first!: number | null;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the row before the page. Default: the first page.",
  })
  after!: string | null;
}
