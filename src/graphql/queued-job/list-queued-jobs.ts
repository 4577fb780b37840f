import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionSetNode } from "graphql";
import { encodePageCursor, encodeStreamCursor } from "../../domain/cursors.js";
import type { ListedQueuedJob } from "../../services/reads/own-pages.js";
import { isOwnBrief, type ListColumns } from "../../services/reads/list-pages.js";
import type { Context } from "../context.js";
import { loadersOf } from "../loaders.js";
import { createConnection, type Connection } from "../paging/connection.js";
import { parseUuidPageRequest } from "../paging/page-request.js";
import { toFilter, type QueuedJobFilterInput } from "./queued-job-filter.input.js";

export interface QueuedJobList extends Connection<ListedQueuedJob> {
  eventCursor: string;
}

/** Of a list that each row of another has: see `FieldCost`. */
export const LIST_COST = 25;

/**
 * A page, newest first, with the reader's own position in the event stream; a later page carries
 * the first one's along.
 */
export async function listQueuedJobs(
  context: Context,
  args: { first: number | null; after: string | null },
  list: { userId: string | null; photoId: string | null; filter: QueuedJobFilterInput | null },
  info: GraphQLResolveInfo,
): Promise<QueuedJobList> {
  const { user, eventLog, queuedJobReads, budget } = context;
  const { first, after } = parseUuidPageRequest(args, { userId: user.id, list: "queuedJobs" });
  const scope = { ...list, filter: toFilter(list.filter) };
  // The epoch before the page: a database that is replaced in between makes a cursor that expires,
  // never one that lies.
  const epoch = await eventLog.epoch();
  const query = {
    readerId: user.id,
    first,
    beforeId: after?.key ?? null,
    columns: columnsFor(info),
  };
  // The most usual of lists is read together with those of others already.
  const page = await (isOwnBrief(scope, query)
    ? queuedJobReads.page(scope, query)
    : loadersOf(context).pages.load({ scope, ...query }));
  budget.takeNodes(page.rows.length);
  const stream = after?.stream ?? { epoch, seq: page.lastSeq };
  const connection = createConnection({
    rows: page.rows,
    hasMore: page.hasMore,
    isFirst: after === null,
    cursorOf: (row) =>
      encodePageCursor({ userId: user.id, list: "queuedJobs", key: row.id, stream }),
    countTotal: () => loadersOf(context).counts.load(scope),
  });
  return { ...connection, eventCursor: encodeStreamCursor({ ...stream, userId: user.id }) };
}

/** What the columns of a brief row are enough for. */
const BRIEF = [
  "__typename",
  "id",
  "job",
  "user",
  "status",
  "progress",
  "attempts",
  "version",
  "priority",
  "createdAt",
  "photos",
  "outputs",
  "history",
];
/** All but what may be long. */
const STATE = [
  ...BRIEF,
  "progressMessage",
  "runAt",
  "updatedAt",
  "startedAt",
  "finishedAt",
  "expiresAt",
  "error",
  "reusedFrom",
  "queuePosition",
  "estimatedStartAt",
];
/** Documents are kept, and so a node is the same for each request of its document. */
const known = new WeakMap<FieldNode, ListColumns>();

function columnsFor(info: GraphQLResolveInfo): ListColumns {
  const [node, another] = info.fieldNodes;
  // Of several that make one field, some may be left out by directives another time.
  if (!node || another) return findColumns(info);
  const columns = known.get(node) ?? findColumns(info);
  known.set(node, columns);
  return columns;
}

function findColumns(info: GraphQLResolveInfo): ListColumns {
  const names = [...selectedFields(info, [["edges", "node"], ["nodes"]])];
  if (names.every((name) => BRIEF.includes(name))) return "brief";
  return names.every((name) => STATE.includes(name)) ? "state" : "whole";
}

type Fragments = GraphQLResolveInfo["fragments"];

/**
 * The names of what is selected below the fields at the ends of `paths`, fragments expanded and
 * directives not looked at: what may be asked for.
 */
export function selectedFields(
  { fieldNodes, fragments }: Pick<GraphQLResolveInfo, "fieldNodes" | "fragments">,
  paths: readonly (readonly string[])[],
): Set<string> {
  const below = (nodes: readonly FieldNode[], name: string) =>
    nodes
      .flatMap((node) => fieldsOf(node.selectionSet, fragments))
      .filter((field) => field.name.value === name);
  const ends = paths.flatMap((path) => path.reduce<readonly FieldNode[]>(below, fieldNodes));
  return new Set(
    ends
      .flatMap(({ selectionSet }) => fieldsOf(selectionSet, fragments))
      .map((field) => field.name.value),
  );
}

function fieldsOf(set: SelectionSetNode | undefined, fragments: Fragments): FieldNode[] {
  return (set?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection;
    return fieldsOf(
      selection.kind === Kind.INLINE_FRAGMENT
        ? selection.selectionSet
        : fragments[selection.name.value]?.selectionSet,
      fragments,
    );
  });
}
