import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionSetNode } from "graphql";
import { encodePageCursor, encodeStreamCursor } from "../../domain/cursors.js";
import type { ListedQueuedJob } from "../../services/reads/own-pages.js";
import { isOwnBrief, type ListColumns } from "../../services/reads/list-pages.js";
import type { Context } from "../context.js";
import { loadersOf } from "../loaders.js";
import { createConnection, type Connection } from "../paging/connection.js";
import { parseUuidPageRequest, type PageArgs } from "../paging/page-request.js";
import { toFilter, type QueuedJobFilterInput } from "./queued-job-filter.input.js";

export interface QueuedJobList extends Connection<ListedQueuedJob> {
  eventCursor: string;
}

/** Cost of a list field on each row of another list: see `FieldCost`. */
export const LIST_COST = 25;

/**
 * Reads a page, newest first, with the reader's position in the event stream. A later page repeats
 * the position of the first one.
 */
export async function listQueuedJobs(
  context: Context,
  args: PageArgs,
  list: { userId: string | null; photoId: string | null; filter: QueuedJobFilterInput | null },
  info: GraphQLResolveInfo,
): Promise<QueuedJobList> {
  const { user, eventLog, queuedJobReads, budget } = context;
  const request = parseUuidPageRequest(args, { userId: user.id, list: "queuedJobs" });
  const scope = { ...list, filter: toFilter(list.filter) };
  // Read the epoch before the page: if the database is replaced in between, the cursor expires. The
  // other order could yield a wrong cursor.
  const epoch = await eventLog.epoch();
  const { stream: earlier, ...range } = request;
  const query = {
    readerId: user.id,
    ...range,
    columns: columnsFor(info),
    ...(earlier && !carriesCursor(info) && { knownSeq: earlier.seq }),
  };
  // The most frequent list is already batched across requests.
  const page = await (isOwnBrief(scope, query)
    ? queuedJobReads.page(scope, query)
    : loadersOf(context).pages.load({ scope, ...query }));
  budget.takeNodes(page.rows.length);
  const stream = earlier ?? { epoch, seq: page.lastSeq };
  const connection = createConnection({
    page,
    cursorOf: (row) =>
      encodePageCursor({ userId: user.id, list: "queuedJobs", key: row.id, stream }),
    countTotal: () => loadersOf(context).counts.load(scope),
  });
  return { ...connection, eventCursor: encodeStreamCursor({ ...stream, userId: user.id }) };
}

/** Fields for which the columns of a brief row are sufficient. */
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
/** All fields except those that can be long. */
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
  "group",
  "key",
  "waitingFor",
  "queuePosition",
  "estimatedStartAt",
];
/** By node: documents are cached, so each request of a document has the same nodes. */
const columnsByNode = new WeakMap<FieldNode, ListColumns>();

function columnsFor(info: GraphQLResolveInfo): ListColumns {
  const [node, another] = info.fieldNodes;
  // When several nodes form one field, directives can omit some of them in another request.
  if (!node || another) return findColumns(info);
  const columns = columnsByNode.get(node) ?? findColumns(info);
  columnsByNode.set(node, columns);
  return columns;
}

function findColumns(info: GraphQLResolveInfo): ListColumns {
  const names = [...selectedFields(info, [["edges", "node"], ["nodes"]])];
  if (names.every((name) => BRIEF.includes(name))) return "brief";
  return names.every((name) => STATE.includes(name)) ? "state" : "whole";
}

function carriesCursor(info: GraphQLResolveInfo): boolean {
  return selectedFields(info, [[]]).has("eventCursor");
}

type Fragments = GraphQLResolveInfo["fragments"];

/**
 * Returns the names of all fields that can be selected below the ends of `paths`. Fragments are
 * expanded and directives are ignored.
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
