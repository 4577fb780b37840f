import { decodePageCursor } from "../../cursors.js";
import type { List, PageCursor } from "../../cursors.js";
import { InvalidInputError } from "../../errors.js";
import { isUuid } from "../../services/ids.js";

/** What a list was asked for, checked. */
export interface PageRequest {
  first: number;
  after: Pick<PageCursor, "key" | "stream"> | null;
}

/** `first` and `after` as they came. Throws InvalidInputError on `first` outside 1 to 100, and on a cursor that is not the user's or not of this list. */
export function parsePageRequest(args: { first: number | null | undefined; after: string | null | undefined }, of: { userId: string; list: List }, standard = 20): PageRequest {
  const first = args.first ?? standard;
  if (first < 1 || first > 100) throw InvalidInputError.at(["first"], "must be 1 to 100");
  const after = args.after ?? null;
  return { first, after: after === null ? null : decodePageCursor(after, of) };
}

/** As `parsePageRequest`, for lists whose rows have UUIDs. */
export function parseUuidPageRequest(args: { first: number | null | undefined; after: string | null | undefined }, of: { userId: string; list: List }): PageRequest {
  const request = parsePageRequest(args, of);
  if (request.after && !isUuid(request.after.key)) throw InvalidInputError.at(["after"], "is no cursor of yours; pass one that an earlier answer or event gave you");
  return request;
}
