import { NotFoundError } from "../errors.js";
import type { Parts } from "../parts.js";
import type { RequestOptions } from "../transport/requests.js";
import type { Page } from "../types.js";
import { GROUP_PAGE, GROUP_ROW } from "./operations.js";
import type { GroupMember, JobGroup } from "./types.js";

export interface ReadGroup {
  group: JobGroup;
  /** In the order of submission. */
  members: GroupMember[];
  /** A position in the event stream; all the rest was read behind it. */
  cursor: string;
}

interface GroupPage {
  page: Page<GroupMember> & { eventCursor: string };
}

/** Reads a group with all of its jobs. Throws NotFoundError if there is none. */
export async function readGroup(
  { query, urls }: Pick<Parts, "query" | "urls">,
  id: string,
  options?: RequestOptions,
): Promise<ReadGroup> {
  const members: GroupMember[] = [];
  const read = async <Row>(document: string, variables: object): Promise<Row> => {
    const { group } = await query<{ group: Row | null }>(document, variables, options);
    if (!group) throw new NotFoundError("NOT_FOUND", `There is no JobGroup ${id}.`);
    return group;
  };
  let cursor: string | null = null;
  for (let after: string | null = null, hasMore = true; hasMore;) {
    const { page }: GroupPage = await read<GroupPage>(GROUP_PAGE, { id, after });
    cursor ??= page.eventCursor;
    members.push(...page.nodes.map(urls.ofQueuedJob));
    after = page.pageInfo.endCursor;
    hasMore = page.pageInfo.hasNextPage;
  }
  // Its counts must not be older than the cursor: no event would correct them.
  const group = await read<JobGroup>(GROUP_ROW, { id });
  return { group, members, cursor: cursor ?? "" };
}
