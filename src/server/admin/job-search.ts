// The search of /admin/jobs: its form, its query parameters, and the filter that they mean.
import type { Database } from "../../db/database.js";
import { QUEUED_JOB_STATUSES } from "../../domain/queued-job-status.js";
import { isUuid } from "../../services/reads/ids.js";
import { ANY_JOB, findUserIds, type JobFilter } from "../../services/reads/operator-search.js";
import { html, type Html } from "./page.js";

/** The fields that make up a search, with their labels. They are also the query parameters. */
const LABELS = {
  id: "Id",
  user: "User: e-mail or id",
  status: "State",
  job: "Job",
  code: "Error code",
  request: "Request id",
  photo: "Photo id",
  worker: "Worker",
  from: "Submitted from (UTC)",
  to: "Submitted before (UTC)",
} as const;
type Field = keyof typeof LABELS;
const FIELDS = Object.keys(LABELS) as Field[];

/** The fields that are always open. */
const MAIN: readonly Field[] = ["id", "user", "status", "job", "code"];

export type JobSearch = Record<Field, string>;

export function readJobSearch(query: Record<string, unknown>): JobSearch {
  return Object.fromEntries(FIELDS.map((name) => [name, textOf(query[name])])) as JobSearch;
}

/** PostgreSQL rejects NUL characters, and no searchable value contains one. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value.replaceAll("\0", "").trim() : "";
}

/** The fields that are not empty. */
export function conditionsOf(search: JobSearch): [name: Field, value: string][] {
  return FIELDS.flatMap((name) => (search[name] === "" ? [] : [[name, search[name]]]));
}

/** The query parameters of a search. */
export function parametersOf(search: JobSearch, more: Record<string, string> = {}): string {
  return new URLSearchParams([...conditionsOf(search), ...Object.entries(more)]).toString();
}

/** Returns the fault of a field that cannot be searched for; null without one. */
export function faultOf({ id, status, photo, from, to }: JobSearch): string | null {
  if (status !== "" && !(QUEUED_JOB_STATUSES as readonly string[]).includes(status))
    return `Not a valid state: the states are ${QUEUED_JOB_STATUSES.join(", ")}.`;
  if (id !== "" && !isUuid(id)) return "Not a valid job id: ids are UUIDs.";
  if (photo !== "" && !isUuid(photo)) return "Not a valid photo id: ids are UUIDs.";
  if ([from, to].some((time) => Number.isNaN(millisecondsOf(time))))
    return "Not a valid time: write 2026-11-30T14:05, in UTC.";
  return null;
}

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?)?$/;

/** Null for an empty text, NaN for an invalid one. A browser's field has no zone. */
function millisecondsOf(text: string): number | null {
  if (text === "") return null;
  const local = text.replace(/Z$/, "");
  return TIME.test(local) ? Date.parse(local.includes("T") ? `${local}Z` : local) : Number.NaN;
}

/** Returns the filter of a search without a fault; null if no user has the id or address. */
export async function toJobFilter(
  database: Database,
  search: JobSearch,
): Promise<JobFilter | null> {
  const { id, user, status, job, code, request, photo, worker, from, to } = search;
  const userIds = user === "" ? null : await findUserIds(database, user);
  if (userIds?.length === 0) return null;
  return {
    ...ANY_JOB,
    id: id === "" ? null : id.toLowerCase(),
    userIds,
    status: QUEUED_JOB_STATUSES.find((name) => name === status) ?? null,
    jobName: job || null,
    errorCode: code || null,
    requestId: request || null,
    photoId: photo === "" ? null : photo.toLowerCase(),
    worker: worker || null,
    fromMs: millisecondsOf(from),
    toMs: millisecondsOf(to),
  };
}

/** Describes a filter that an operation has recorded. */
export function filterLines(filter: JobFilter): [name: string, value: string][] {
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  const lines = [
    [LABELS.id, filter.id],
    ["User", filter.userIds?.join(", ")],
    [LABELS.status, filter.status],
    [LABELS.job, filter.jobName],
    [LABELS.code, filter.errorCode],
    [LABELS.request, filter.requestId],
    [LABELS.photo, filter.photoId],
    [LABELS.worker, filter.worker],
    ["Submitted from", time(filter.fromMs)],
    ["Submitted before", time(filter.toMs)],
  ] as const;
  return lines.flatMap(([name, value]) => (value ? [[name, value]] : []));
}

/** Describes a search as it was typed. */
export function searchLines(search: JobSearch): [name: string, value: string][] {
  return conditionsOf(search).map(([name, value]) => [LABELS[name], value]);
}

/** Hidden fields that carry a search to another page. */
export function hiddenFields(search: JobSearch): Html[] {
  return conditionsOf(search).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
}

/** Intervals in seconds at which a page reloads. */
const REFRESHES = ["5", "30", "60"];

export function searchForm(
  path: string,
  search: JobSearch,
  { jobNames, refresh }: { jobNames: string[]; refresh: string },
): Html {
  const field = (name: Field) => fieldOf(name, search[name], jobNames);
  const others = FIELDS.filter((name) => !MAIN.includes(name));
  const isOpen = refresh !== "" || others.some((name) => search[name] !== "");
  const every = [...new Set([...REFRESHES, refresh])].filter(Boolean);
  return html`<form method="get" action="${path}">
${MAIN.map(field)}
<details class="more" ${isOpen && html`open`}><summary>More</summary>
<div class="fields">${others.map(field)}
<label>Reload <select name="refresh">${optionsOf(["", ...every], refresh, {
    empty: "never",
    unit: " s",
  })}</select></label></div></details>
<button>Search</button>
</form>`;
}

function fieldOf(name: Field, value: string, jobNames: string[]): Html {
  const label = LABELS[name];
  if (name === "status" || name === "job") {
    const names = name === "status" ? QUEUED_JOB_STATUSES : jobNames;
    return html`<label>${label}
      <select name="${name}">${optionsOf(["", ...names], value, { empty: "any" })}</select></label>
`;
  }
  const isTime = name === "from" || name === "to";
  const type = isTime ? html`type="datetime-local" step="1"` : html`autocomplete="off"`;
  return html`<label>${label} <input name="${name}" value="${value}" ${type}></label>
`;
}

function optionsOf(
  names: readonly string[],
  chosen: string,
  { empty, unit = "" }: { empty: string; unit?: string },
): Html[] {
  return names.map((name) => {
    const selected = name === chosen && html`selected`;
    const text = name === "" ? empty : `${name}${unit}`;
    return html`<option value="${name}" ${selected}>${text}</option>`;
  });
}
