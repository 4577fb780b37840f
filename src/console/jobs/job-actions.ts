import type { Query, QueuedJobStatus } from "../../../client/src/index.js";
import { messageOf, plural } from "../in-words.js";
import { type Deletions, forEachId } from "../notices/deletions.js";
import type { Notices } from "../notices/notices.js";
import {
  CANCEL,
  CANCEL_ALL,
  CANCEL_GROUP,
  DELETE,
  DELETE_ALL,
  DELETE_GROUP,
  RETRY,
  RETRY_ALL,
  RETRY_GROUP,
} from "../operations.js";
import type { QueuedJob } from "../types.js";
import type { JobList } from "./job-list.js";

type Act = "cancel" | "retry" | "delete";

export interface JobActions {
  /** Acts on each of the jobs and groups; deleting can be undone for some seconds. */
  act(what: Act, ids: readonly string[]): Promise<void>;
  /** Acts on all jobs that match the filter of the list, up to 1,000. */
  actOnAll(what: Act): Promise<void>;
}

const ON_ALL: Record<Act, string> = { cancel: CANCEL_ALL, retry: RETRY_ALL, delete: DELETE_ALL };
const ON_GROUP: Record<Act, string> = {
  cancel: CANCEL_GROUP,
  retry: RETRY_GROUP,
  delete: DELETE_GROUP,
};

export function createJobActions(
  ask: Query,
  parts: { list: JobList; notices: Notices; deletions: Deletions },
): JobActions {
  const { list, notices, deletions } = parts;

  async function one(what: Act, id: string): Promise<void> {
    // The events of a group's jobs show the effect.
    if (list.groups.get(id)) await ask(ON_GROUP[what], { id });
    else if (what === "delete") {
      await ask(DELETE, { id });
      list.remove(id);
    } else {
      const mutation = what === "cancel" ? CANCEL : RETRY;
      list.take(Object.values(await ask<Record<string, QueuedJob>>(mutation, { id })));
    }
  }

  async function run(what: Act, ids: readonly string[]): Promise<void> {
    const { messages } = await forEachId(ids, (id) => one(what, id), messageOf);
    for (const message of messages) notices.fault(message);
  }

  async function runOnAll(what: Act): Promise<void> {
    try {
      const { status, job } = list.filter.peek();
      const filter = {
        ...(status.length > 0 && { status: status as readonly QueuedJobStatus[] }),
        ...(job.length > 0 && { job }),
      };
      const { count } = await ask<{ count: number }>(ON_ALL[what], { filter });
      const done = { cancel: "cancelled", retry: "retried", delete: "deleted" }[what];
      notices.show(`${plural(count, "job")} ${done}`);
      if (what === "delete") await list.read();
    } catch (error) {
      notices.fault(messageOf(error));
    }
  }

  return {
    async act(what, ids) {
      if (what !== "delete") return run(what, ids);
      const count = ids.reduce((sum, id) => sum + (list.groups.get(id)?.peek().total ?? 1), 0);
      const text = `${plural(count, "job")} deleted`;
      deletions.start({ ids, text, remove: () => run(what, ids) });
    },
    async actOnAll(what) {
      if (what !== "delete") return runOnAll(what);
      deletions.start({
        ids: list.ids.peek(),
        text: "Finished jobs deleted",
        remove: () => runOnAll(what),
      });
    },
  };
}
