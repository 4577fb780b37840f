import { encodePageCursor, encodeStreamCursor } from "../../cursors.js";
import type { QueuedJob } from "../../queued-job.js";
import type { Context } from "../context.js";
import { createConnection, MOST_COUNTED } from "../paging/connection.js";
import type { Connection } from "../paging/connection.js";
import { parseUuidPageRequest } from "../paging/page-request.js";
import { toFilter } from "./queued-job-filter.input.js";
import type { QueuedJobFilterInput } from "./queued-job-filter.input.js";

export interface QueuedJobList extends Connection<QueuedJob> {
  eventCursor: string;
}

/** A page, newest first, with the reader's own position in the event stream; a later page carries the first one's along. */
export async function listQueuedJobs(
  { user, queuedJobReads, eventLog }: Context,
  args: { first: number | null; after: string | null },
  list: { userId: string | null; photoId: string | null; filter: QueuedJobFilterInput | null },
): Promise<QueuedJobList> {
  const { first, after } = parseUuidPageRequest(args, { userId: user.id, list: "queuedJobs" });
  const scope = { ...list, filter: toFilter(list.filter) };
  // The epoch before the page: a database that is replaced in between makes a cursor that expires, never one that lies.
  const epoch = await eventLog.epoch();
  const page = await queuedJobReads.page(scope, { readerId: user.id, first, beforeId: after?.key ?? null });
  const stream = after?.stream ?? { epoch, seq: page.lastSeq };
  const connection = createConnection({
    rows: page.rows,
    hasMore: page.hasMore,
    isFirst: after === null,
    cursorOf: (row) => encodePageCursor({ userId: user.id, list: "queuedJobs", key: row.id, stream }),
    countTotal: () => queuedJobReads.count(scope, MOST_COUNTED),
  });
  return { ...connection, eventCursor: encodeStreamCursor({ ...stream, userId: user.id }) };
}
