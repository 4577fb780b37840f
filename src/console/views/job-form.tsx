import type { Signal } from "@preact/signals";
import { plural } from "../in-words.js";
import { otherIssues } from "../parameter-field.js";
import type { Job } from "../types.js";
import { useWorkspace } from "../workspace.js";
import { AsGraphql } from "./as-graphql.js";
import { ParameterInput } from "./parameter-input.js";

export function JobForm() {
  const { submission, photos } = useWorkspace();
  const { job, jobs, fields, issues, failure, operation, isSending, count } = submission;
  const submit = (event: Event): void => {
    event.preventDefault();
    void submission.send();
  };
  const faults = [...otherIssues(issues.value, fields.value.map(({ name }) => name)), ...(failure.value === null ? [] : [failure.value])];
  return (
    <form class="job-form" onSubmit={submit} noValidate>
      <label for="job">Job</label>
      <select id="job" value={job.value.name} onChange={(event) => submission.choose(event.currentTarget.value)} aria-describedby="job-description">
        {jobs.map(({ name, title }) => <option key={name} value={name}>{title}</option>)}
      </select>
      <small id="job-description">{job.value.description}</small>
      <div class="fields">{fields.value.map((field) => <ParameterInput key={`${job.value.name} ${field.name}`} field={field} />)}</div>
      <details>
        <summary>More</summary>
        <div class="fields">
          <Extra label="Priority" hint="0 to 100; higher runs first." type="number" value={submission.priority} />
          <Extra label="Not before" hint="Up to a year ahead." type="datetime-local" value={submission.runAt} />
          <label>
            <input type="checkbox" role="switch" checked={submission.fresh.value} onChange={(event) => { submission.fresh.value = event.currentTarget.checked; }} />
            Anew
            <small>Even where an earlier result of the same could be taken over.</small>
          </label>
        </div>
      </details>
      {faults.map((fault) => <p key={fault} role="alert" class="fault">{fault}</p>)}
      <button type="submit" disabled={isSending.value || count.value === 0} aria-busy={isSending.value}>{buttonText(job.value, count.value, photos.chosen.value.length)}</button>
      {count.value === 0 && <small class="faint">{missingPhotos(job.value)}</small>}
      <AsGraphql label="Show as GraphQL" {...operation.value} />
    </form>
  );
}

function Extra({ label, hint, type, value }: { label: string; hint: string; type: "number" | "datetime-local"; value: Signal<string> }) {
  return (
    <label>
      {label}
      <input type={type} value={value.value} onInput={(event) => { value.value = event.currentTarget.value; }} />
      <small>{hint}</small>
    </label>
  );
}

function buttonText({ maxPhotos }: Job, count: number, photos: number): string {
  if (maxPhotos === 0 || photos === 0) return "Submit";
  return maxPhotos > 1 ? `Submit with ${plural(Math.min(photos, maxPhotos), "photo")}` : `Submit for ${plural(count, "photo")}`;
}

function missingPhotos({ minPhotos }: Job): string {
  return minPhotos === 1 ? "Choose a photo first." : `Choose ${minPhotos} photos or more first.`;
}
