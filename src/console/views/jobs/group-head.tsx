import { router } from "../../address/router.js";
import { ago, countsOf, messageOf, moment } from "../../in-words.js";
import { statusOf, titleOf } from "../../jobs/job-groups.js";
import { OUTPUTS } from "../../operations.js";
import type { QueuedJobDetails } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { Icon } from "../frame/icons.js";
import { saveFile } from "../save-file.js";
import { GroupBar } from "./group-bar.js";
import { JobButtons } from "./job-row.js";
import { now } from "./now.js";
import { StatusPill } from "./status-pill.js";

export const closeGroup = (): void => router.close("group");

function useGroup() {
  const { list, openGroup } = useWorkspace();
  // This read subscribes the component to the first answer, which stores the group.
  void openGroup.ids.value;
  return openGroup.isGone.value ? undefined : list.groups.get(openGroup.id.value ?? "")?.value;
}

/** The name of the open group, and what can be done with it. */
export function GroupHead() {
  const group = useGroup();
  return (
    <header class="bar group-head">
      <button type="button" class="plain back" aria-label="All jobs" onClick={closeGroup}>
        <Icon name="left" />
      </button>
      <h2>{group ? titleOf(group) : "Group"}</h2>
      {group && (
        <JobButtons
          row={{
            id: group.id,
            status: statusOf(group),
            job: { title: titleOf(group) },
            error: null,
          }}
          hasWords
          onDelete={closeGroup}
        />
      )}
    </header>
  );
}

/** One bar for all of its jobs, and how many are in each state. */
export function GroupProgress() {
  const group = useGroup();
  if (!group) return null;
  return (
    <div class="group-progress">
      <p class="line">
        <StatusPill status={statusOf(group)} progress={group.progress} />
        <span class="faint">{countsOf(group)}</span>
        <time class="faint" dateTime={group.createdAt} title={moment(group.createdAt)}>
          {ago(group.createdAt, now.value)}
        </time>
      </p>
      <GroupBar group={group} />
      <Archive />
    </div>
  );
}

/** The result of a group that ends with an archive. */
function Archive() {
  const { ask, list, openGroup, notices } = useWorkspace();
  const last = list.row(openGroup.ids.value.at(-1) ?? "")?.value;
  if (last?.job.name !== "archive" || last.status !== "SUCCESS") return null;
  async function download(id: string): Promise<void> {
    const { queuedJob } = await ask<{ queuedJob: QueuedJobDetails | null }>(OUTPUTS, { id });
    for (const { url, name } of queuedJob?.outputs ?? []) saveFile(url, name);
  }
  return (
    <p>
      <button
        type="button"
        class="primary"
        onClick={() =>
          void download(last.id).catch((error: unknown) => notices.fault(messageOf(error)))
        }
      >
        <Icon name="download" size={18} />
        Download the archive
      </button>
    </p>
  );
}
