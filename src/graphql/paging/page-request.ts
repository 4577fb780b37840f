import { ArgsType, Field, Int } from "type-graphql";
import {
  decodePageCursor,
  malformedCursor,
  type List,
  type PageCursor,
} from "../../domain/cursors.js";
import { InvalidInputError } from "../../domain/errors.js";
import { isUuid } from "../../services/reads/ids.js";
import type { PageRange } from "../../services/reads/page.js";
import { DEFAULT_ROWS, MAX_ROWS } from "../limits/limits.js";

interface PageRequest extends PageRange {
  /** Position of the event stream in the cursor. */
  stream: PageCursor["stream"];
}

/**
 * Validates the arguments of a page. Throws InvalidInputError when they request both directions,
 * when the size is outside 1 to MAX_ROWS, or when the cursor belongs to another user or list.
 */
export function parsePageRequest(
  args: PageArgs,
  of: { userId: string; list: List },
  standard: number = DEFAULT_ROWS,
): PageRequest {
  assertOneDirection(args);
  const backward = (args.last ?? args.before ?? null) !== null;
  const size = (backward ? args.last : args.first) ?? standard;
  if (size < 1 || size > MAX_ROWS)
    throw InvalidInputError.at([backward ? "last" : "first"], `must be 1 to ${MAX_ROWS}`);
  const name = backward ? "before" : "after";
  const cursor = args[name] ?? null;
  const position =
    cursor === null ? { key: null, stream: null } : decodePageCursor(cursor, of, name);
  return { size, backward, ...position };
}

/** Like `parsePageRequest`, for lists whose rows have UUIDs. */
export function parseUuidPageRequest(
  args: PageArgs,
  of: { userId: string; list: List },
): PageRequest {
  const request = parsePageRequest(args, of);
  const { key, backward } = request;
  if (key !== null && (!isUuid(key) || key !== key.toLowerCase()))
    throw malformedCursor(backward ? "before" : "after");
  return request;
}

function assertOneDirection(args: PageArgs): void {
  const given = (names: readonly (keyof PageArgs)[]) =>
    names.find((name) => (args[name] ?? null) !== null);
  const [forward, backward] = [given(["first", "after"]), given(["last", "before"])];
  if (forward !== undefined && backward !== undefined)
    throw InvalidInputError.at(
      [backward],
      `cannot be combined with ${forward}; page forward with first and after, or backward with ` +
        "last and before",
    );
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, {
    nullable: true,
    description:
      "Page size, 1 to 100, from the start of the list or behind `after`. Default: " +
      `${DEFAULT_ROWS}; 50 for \`Query.jobs\`.`,
  })
  first?: number | null;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the row before the page. Default: the first page.",
  })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      "Page size, 1 to 100, from the end of the list or in front of `before`. Not together with " +
      "`first` or `after`. Default with `before`: as for `first`.",
  })
  last?: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Cursor of the row after the page. Not together with `first` or `after`. Default with " +
      "`last`: the last page.",
  })
  before?: string | null;
}
