import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useWorkspace } from "../../workspace.js";
import { closeGroup, GroupHead, GroupProgress } from "./group-head.js";
import { JobDetails } from "./job-details.js";
import { ChosenBar, JobFilters } from "./job-filters.js";
import { JobRows } from "./job-rows.js";
import { useEscape } from "./use-escape.js";

/** The list of jobs, or of those of a group, and beside it the details of the open one. */
export function JobsView() {
  const { openJob, openGroup } = useWorkspace();
  const [job, group] = [openJob.id.value, openGroup.id.value];
  const first = useRef(group);
  useEscape(group !== null && job === null ? closeGroup : null);
  return (
    <div class={job === null ? "jobs-view" : "jobs-view with-details"}>
      <ListOfJobs key={group ?? ""} group={group} takesFocus={group !== first.current} />
      {job !== null && <JobDetails />}
    </div>
  );
}

function ListOfJobs({ group, takesFocus }: { group: string | null; takesFocus: boolean }) {
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const ref = useRef<HTMLElement>(null);
  const isChoosing = chosen.value.size > 0;
  useEffect(() => {
    if (group === null) return undefined;
    // The row that had the focus is gone.
    if (takesFocus) ref.current?.querySelector<HTMLElement>(".back")?.focus();
    return () =>
      requestAnimationFrame(() =>
        document.querySelector<HTMLElement>(`[data-id="${group}"] .open`)?.focus(),
      );
  }, []);
  return (
    <section class="jobs" aria-label="List of jobs" ref={ref}>
      {isChoosing && <ChosenBar chosen={chosen} />}
      {!isChoosing && (group === null ? <JobFilters /> : <GroupHead />)}
      {group !== null && <GroupProgress />}
      <JobRows chosen={chosen} />
    </section>
  );
}
