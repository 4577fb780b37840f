import { encodePageCursor, encodeStreamCursor, malformedCursor } from "../../domain/cursors.js";
import type { Photo } from "../../services/photos/photos.js";
import type { PhotoOrder } from "../../services/reads/photo-filter.js";
import { isPhotoKey, photoKey } from "../../services/reads/photo-library.js";
import type { Context } from "../context.js";
import { createConnection, MAX_COUNTED, type Connection } from "../paging/connection.js";
import { parsePageRequest, type PageArgs } from "../paging/page-request.js";
import { listTag, parsePhotoFilter, type PhotoFilterInput } from "./photo-filter.input.js";

interface PhotoList extends Connection<Photo> {
  eventCursor: string;
}

/**
 * Reads a page of the caller's photos with the position in the event stream. A later page repeats
 * the position of the first one.
 */
export async function listPhotos(
  context: Context,
  args: PageArgs,
  { filter: input, order }: { filter: PhotoFilterInput | null | undefined; order: PhotoOrder },
): Promise<PhotoList> {
  const { user, eventLog, photoLibrary, budget } = context;
  const list = { userId: user.id, list: "photos" } as const;
  const { stream: earlier, ...range } = parsePageRequest(args, list);
  const filter = await parsePhotoFilter(input, context);
  const tag = listTag(order, filter);
  const key = range.key === null ? null : keyWithin(range.key, { tag, order });
  if (range.key !== null && key === null)
    throw malformedCursor(range.backward ? "before" : "after");
  // The epoch is read first: if the database is replaced in between, the cursor expires.
  const epoch = await eventLog.epoch();
  const query = { userId: user.id, filter, order };
  const page = await photoLibrary.page({ ...query, ...range, key });
  budget.takeNodes(page.rows.length);
  const stream = earlier ?? { epoch, seq: page.lastSeq };
  const connection = createConnection({
    page,
    cursorOf: (row) => encodePageCursor({ ...list, key: `${tag}${photoKey(order, row)}`, stream }),
    countTotal: () => photoLibrary.count(query, MAX_COUNTED),
  });
  return { ...connection, eventCursor: encodeStreamCursor({ ...stream, userId: user.id }) };
}

/** Null for the key of another order or filter. */
function keyWithin(key: string, { tag, order }: { tag: string; order: PhotoOrder }): string | null {
  const own = key.startsWith(tag) ? key.slice(tag.length) : "";
  return isPhotoKey(order, own) ? own : null;
}
