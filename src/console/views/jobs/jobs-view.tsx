import { useSignal } from "@preact/signals";
import { useWorkspace } from "../../workspace.js";
import { JobDetails } from "./job-details.js";
import { JobFilters } from "./job-filters.js";
import { JobRows } from "./job-rows.js";

/** The list of jobs, and beside it the details of the open one. */
export function JobsView() {
  const { openJob } = useWorkspace();
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  return (
    <div class={openJob.id.value === null ? "jobs-view" : "jobs-view with-details"}>
      <section class="jobs" aria-label="List of jobs">
        <JobFilters chosen={chosen} />
        <JobRows chosen={chosen} />
      </section>
      {openJob.id.value !== null && <JobDetails />}
    </div>
  );
}
