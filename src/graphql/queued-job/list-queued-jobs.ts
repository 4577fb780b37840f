import type { FieldNode, GraphQLResolveInfo } from "graphql";
import { encodePageCursor, encodeStreamCursor } from "../../cursors.js";
import type { QueuedJob } from "../../queued-job.js";
import type { Context } from "../context.js";
import { createConnection, MOST_COUNTED } from "../paging/connection.js";
import type { Connection } from "../paging/connection.js";
import { parseUuidPageRequest } from "../paging/page-request.js";
import { selectedFields } from "../selected-fields.js";
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
  info: GraphQLResolveInfo,
): Promise<QueuedJobList> {
  const { first, after } = parseUuidPageRequest(args, { userId: user.id, list: "queuedJobs" });
  const scope = { ...list, filter: toFilter(list.filter) };
  // The epoch before the page: a database that is replaced in between makes a cursor that expires, never one that lies.
  const epoch = await eventLog.epoch();
  const page = await queuedJobReads.page(scope, { readerId: user.id, first, beforeId: after?.key ?? null, brief: isBrief(info) });
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

/** What the columns of a brief row are enough for. */
const BRIEF = new Set(["__typename", "id", "job", "user", "status", "progress", "attempts", "version", "priority", "createdAt", "photos", "outputs", "history", "queuePosition"]);
/** Documents are kept, and so a node is the same for each request of its document. */
const known = new WeakMap<FieldNode, boolean>();

function isBrief(info: GraphQLResolveInfo): boolean {
  const [node, another] = info.fieldNodes;
  // Of several that make one field, some may be left out by directives another time.
  if (!node || another) return onlyBrief(info);
  const brief = known.get(node) ?? onlyBrief(info);
  known.set(node, brief);
  return brief;
}

function onlyBrief(info: GraphQLResolveInfo): boolean {
  return [...selectedFields(info, [["edges", "node"], ["nodes"]])].every((name) => BRIEF.has(name));
}
