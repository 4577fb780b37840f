import { useWorkspace } from "../workspace.js";
import { DropZone } from "./drop-zone.js";
import { JobDetails } from "./jobs/job-details.js";
import { JobForm } from "./jobs/job-form.js";
import { JobRows, ListFilter } from "./jobs/job-rows.js";
import { PhotoGrid } from "./photo-grid.js";
import { TopBar } from "./top-bar.js";
import { bytes, number } from "../in-words.js";

/** The page of a signed-in user: input on the left, jobs in the middle, details on the right. */
export function Desk() {
  const { selection, announcement } = useWorkspace();
  return (
    <>
      <TopBar />
      <main class={selection.id.value === null ? "desk" : "desk with-details"}>
        <div class="inputs">
          <section aria-labelledby="photos-title">
            <h2 id="photos-title">Photos</h2>
            <DropZone />
            <PhotoGrid />
          </section>
          <section aria-labelledby="form-title">
            <h2 id="form-title">New job</h2>
            <JobForm />
          </section>
          <LimitsLine />
        </div>
        <section class="jobs" id="jobs" aria-labelledby="jobs-title">
          <ListFilter />
          <JobRows />
        </section>
        <JobDetails />
      </main>
      <output class="unseen" role="status" aria-label="Jobs">
        {announcement}
      </output>
    </>
  );
}

function LimitsLine() {
  const { limits } = useWorkspace();
  const { unfinished, maxUnfinished, storedBytes, maxStoredBytes } = limits.value;
  return (
    <section class="limits" aria-label="Limits">
      <label>
        {number(unfinished)} of {number(maxUnfinished)} unfinished jobs{" "}
        <meter value={unfinished} max={maxUnfinished} high={maxUnfinished * 0.9} />
      </label>
      <label>
        {bytes(storedBytes)} of {bytes(maxStoredBytes)} stored{" "}
        <meter value={storedBytes} max={maxStoredBytes} high={maxStoredBytes * 0.9} />
      </label>
    </section>
  );
}
