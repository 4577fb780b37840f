import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { router } from "../../address/router.js";
import { number, plural } from "../../in-words.js";
import {
  faultsAt,
  faultsElsewhere,
  optionInWords,
  type ParameterField,
} from "../../submission/parameter-field.js";
import type { Job } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { AsGraphql } from "../as-graphql.js";
import { Faults, ParameterInput } from "./parameter-input.js";

export function JobForm({ inputs }: { inputs: ComponentChildren }) {
  const { submission } = useWorkspace();
  const { job, jobs, recipes, operation } = submission;
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    await submission.send();
    // The faulty field may be out of sight, above the button.
    requestAnimationFrame(() =>
      form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus(),
    );
  };
  const choose = (name: string): void => {
    submission.choose(name);
    router.go({ newJob: name }, { replace: true });
  };
  return (
    <form class="job-form" ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <div class="scrolls" tabIndex={-1}>
        {inputs}
        <label for="job">Job</label>
        <select
          id="job"
          value={job.value.name}
          onChange={(event) => choose(event.currentTarget.value)}
          aria-describedby="job-description"
        >
          <Options of={jobs} />
          <optgroup label="Recipes" hidden={recipes.length === 0}>
            <Options of={recipes} />
          </optgroup>
        </select>
        <small id="job-description">{job.value.description}</small>
        <PauseNote job={job.value} />
        <Parameters />
        <More />
        <AsGraphql label="Show as GraphQL" {...operation.value} />
      </div>
      <Footer />
    </form>
  );
}

function Options({ of }: { of: readonly Job[] }) {
  return (
    <>
      {of.map(({ name, title }) => (
        <option key={name} value={name}>
          {title}
        </option>
      ))}
    </>
  );
}

/** The faults that belong to no field, and the button. */
function Footer() {
  const { submission, photos } = useWorkspace();
  const { job, fields, issues, failure, isSending, count, maxPhotos } = submission;
  const places = [...fields.value.map(({ name }) => ["parameters", name]), ["priority"], ["runAt"]];
  const faults = [
    ...faultsElsewhere(issues.value, places),
    ...(failure.value === null ? [] : [failure.value]),
  ];
  const excess = job.value.maxPhotos === 1 ? photos.count.value - maxPhotos.value : 0;
  return (
    <footer>
      {faults.map((fault) => (
        <p key={fault} role="alert" class="fault">
          {fault}
        </p>
      ))}
      {count.value === 0 && <p class="faint">{missingPhotos(job.value)}</p>}
      {excess > 0 && (
        <p role="alert" class="fault">
          One group takes at most {number(maxPhotos.value)} photos: deselect {number(excess)}.
        </p>
      )}
      {count.value > 1 && excess <= 0 && (
        <p class="faint">One group of {number(count.value)} jobs with one progress bar</p>
      )}
      <button
        type="submit"
        class="primary"
        disabled={isSending.value || count.value === 0 || excess > 0 || photos.isReading.value}
        aria-busy={isSending.value}
      >
        {buttonText(job.value, photos.count.value)}
      </button>
    </footer>
  );
}

/** The required parameters; those with a sensible default are folded. */
function Parameters() {
  const { submission } = useWorkspace();
  const { job, fields, issues, texts } = submission;
  const details = useRef<HTMLDetailsElement>(null);
  const needed = fields.value.filter(({ required }) => required);
  const others = fields.value.filter(({ required }) => !required);
  const isFaulty = others.some(
    ({ name }) => faultsAt(issues.value, ["parameters", name]).length > 0,
  );
  useLayoutEffect(() => {
    if (isFaulty && details.current) details.current.open = true;
  }, [isFaulty]);
  const input = (field: ParameterField) => (
    <ParameterInput key={`${job.value.name} ${field.name}`} field={field} />
  );
  return (
    <>
      <div class="fields">{needed.map(input)}</div>
      {others.length > 0 && (
        <details ref={details} class="settings">
          <summary>
            Settings <span class="faint">{settingsInWords(others, texts.value)}</span>
          </summary>
          <div class="fields">{others.map(input)}</div>
        </details>
      )}
    </>
  );
}

/** The present values in one line, e.g. "widths 320, 1024 · format webp". */
function settingsInWords(
  fields: readonly ParameterField[],
  texts: Readonly<Record<string, string>>,
): string {
  return fields
    .map(({ kind, name, label, fallback }) => {
      const value = texts[name] || fallback;
      return [label.toLowerCase(), kind === "choice" ? optionInWords(value) : value] as const;
    })
    .filter(([, value]) => value !== "" && value !== "false")
    .map(([label, value]) => (value === "true" ? label : `${label} ${value}`))
    .join(" · ");
}

function PauseNote({ job: { name } }: { job: Job }) {
  const { limits, pausedJobs } = useWorkspace();
  if (!limits.value.paused && !pausedJobs.value.includes(name)) return null;
  return (
    <p role="status" class="faint">
      Paused by an operator: submissions are accepted and wait.
    </p>
  );
}

/** Options of every Job, in addition to its parameters. */
function More() {
  const { submission } = useWorkspace();
  const { issues, priority, runAt, fresh } = submission;
  const details = useRef<HTMLDetailsElement>(null);
  const isFaulty = [["priority"], ["runAt"]].some(
    (place) => faultsAt(issues.value, place).length > 0,
  );
  useLayoutEffect(() => {
    if (isFaulty && details.current) details.current.open = true;
  }, [isFaulty]);
  return (
    <details ref={details} class="settings">
      <summary>More</summary>
      <div class="fields">
        <Extra
          name="priority"
          label="Priority"
          hint="0 to 100; higher runs first."
          value={priority}
          attributes={{ type: "text", inputMode: "numeric", autocomplete: "off", placeholder: "0" }}
        />
        <Extra
          name="runAt"
          label="Start at"
          hint="Up to one year ahead."
          value={runAt}
          attributes={{ type: "datetime-local" }}
        />
        <label>
          <input
            type="checkbox"
            role="switch"
            checked={fresh.value}
            onChange={(event) => {
              fresh.value = event.currentTarget.checked;
            }}
          />
          Always run again
          <small>Do not reuse the result of an identical job.</small>
        </label>
      </div>
    </details>
  );
}

function Extra({
  name,
  label,
  hint,
  value,
  attributes,
}: {
  name: string;
  label: string;
  hint: string;
  value: Signal<string>;
  attributes: object;
}) {
  const { submission } = useWorkspace();
  const faults = faultsAt(submission.issues.value, [name]);
  const type = (event: { currentTarget: { value: string } }): void => {
    submission.clearFaultsAt([name]);
    value.value = event.currentTarget.value;
  };
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        id={name}
        {...attributes}
        aria-describedby={`${name}-hint`}
        {...(faults.length > 0 && { "aria-invalid": true as const })}
        value={value.value}
        onInput={type}
      />
      <small id={`${name}-hint`}>
        <Faults faults={faults} />
        {hint}
      </small>
    </div>
  );
}

function buttonText({ maxPhotos }: Job, photos: number): string {
  if (maxPhotos === 0 || photos === 0) return "Submit";
  return maxPhotos > 1
    ? `Submit with ${plural(Math.min(photos, maxPhotos), "photo")}`
    : `Submit for ${plural(photos, "photo")}`;
}

function missingPhotos({ minPhotos }: Job): string {
  return minPhotos === 1 ? "Select a photo first." : `Select ${minPhotos} or more photos first.`;
}
