import { decodePageCursor } from "../../cursors.js";
import type { PageCursor } from "../../cursors.js";
import { InvalidInputError } from "../../errors.js";
import { isUuid } from "../../services/ids.js";

/** What a list was asked for, checked. */
export interface PageRequest {
  first: number;
  after: Pick<PageCursor, "key" | "stream"> | null;
}

/** `first` and `after` as they came. Throws InvalidInputError on `first` outside 1 to 100, and on a cursor that is not the user's. */
export function parsePageRequest(args: { first: number | null | undefined; after: string | null | undefined }, userId: string, standard = 20): PageRequest {
  const first = args.first ?? standard;
  if (first < 1 || first > 100) throw InvalidInputError.at(["first"], "must be 1 to 100");
  const after = args.after ?? null;
  return { first, after: after === null ? null : decodePageCursor(after, userId) };
}

/** As `parsePageRequest`, for lists whose rows have UUIDs. */
export function parseUuidPageRequest(args: { first: number | null | undefined; after: string | null | undefined }, userId: string): PageRequest {
  const request = parsePageRequest(args, userId);
  if (request.after && !isUuid(request.after.key)) throw InvalidInputError.at(["after"], "is a cursor of another list");
  return request;
}
