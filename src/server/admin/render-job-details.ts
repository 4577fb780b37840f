import type { QueuedJobDetails } from "../../services/reads/operator-reads.js";
import type { QueuedJobEvent } from "../../domain/queued-job.js";
import { factList, html, inSeconds, numberCell, wideTable, type Html } from "./page.js";

/** The photos and outputs of a QueuedJob, with signed URLs. */
export interface JobFiles {
  photos: StoredFile[];
  outputs: StoredFile[];
}

/** Renders the state, timeline, input and output of one QueuedJob. */
export function renderJobDetails({ row, events }: QueuedJobDetails, files: JobFiles): Html {
  return html`${row ? stateOf(row) : DELETED}
    <h2>Timeline</h2>
    ${timeline(events)}
    ${row && contentsOf(row, files)}`;
}

const DELETED = html`<p>
  This job was <span class="status DELETED">deleted</span>; only its last event is left.
</p>`;

type Row = NonNullable<QueuedJobDetails["row"]>;

function contentsOf(row: Row, { photos, outputs }: JobFiles): Html {
  return html`<div class="columns">
      <section><h2>Parameters</h2>${json(row.parameters)}</section>
      <section><h2>Result</h2>${json(row.result)}</section>
    </div>
    <div class="columns">
      <section><h2>Photos</h2>${fileTable(photos, row.photoCount - photos.length)}</section>
      <section><h2>Outputs</h2>${fileTable(outputs, 0)}</section>
    </div>`;
}

type Fact = [name: string, value: string | number | Html | null];

function stateOf(row: Row): Html {
  const lines = [...factsOf(row), ...timesOf(row), ...originOf(row)];
  return factList(lines.filter(([, value]) => value !== null));
}

function searchLink(field: string, value: string): Html {
  return html`<a href="/admin/jobs?${new URLSearchParams({ [field]: value }).toString()}">
    ${value}</a>`;
}

function factsOf(row: Row): Fact[] {
  const { status, error } = row;
  const progress =
    status === "STARTED" && `${Math.round(row.progress * 100)} % ${row.progressMessage ?? ""}`;
  return [
    ["state", html`<span class="status ${status}">${status}</span> ${progress}`],
    ["error", error && html`${searchLink("code", error.code)} ${error.message}`],
    ["user", html`<a href="/admin/jobs?user=${row.userId}">${row.email}</a>`],
    [
      "attempts",
      `${row.attempts} (${row.failures} failed, ${row.stalls} lost since the last submission ` +
        "or retry)",
    ],
    ["worker", row.worker && searchLink("worker", row.worker)],
    ["request id", searchLink("request", row.requestId)],
    ["priority", row.priority],
  ];
}

function timesOf({ status, createdAt, runAt, dueAt, startedAt, ...row }: Row): Fact[] {
  const { leaseUntil, finishedAt, expiresAt } = row;
  const waited = startedAt && inSeconds(secondsBetween(createdAt, startedAt) || 0);
  const ran = startedAt && finishedAt && inSeconds(secondsBetween(startedAt, finishedAt));
  return [
    ["submitted", createdAt],
    ["run at", runAt],
    ["due", status === "PENDING" ? dueAt : null],
    [
      "started",
      startedAt &&
        html`${startedAt}
          <span class="mute">(latest attempt, waited ${waited})</span>`,
    ],
    ["lease until", leaseUntil],
    [
      "finished",
      finishedAt && html`${finishedAt} ${ran && html`<span class="mute">(ran ${ran})</span>`}`,
    ],
    ["kept until", expiresAt],
  ];
}

function originOf({ reusedFrom, version, run }: Row): Fact[] {
  return [
    ["reused from", reusedFrom && html`<a href="/admin/jobs/${reusedFrom}">${reusedFrom}</a>`],
    ["version, run", `${version}, ${run}`],
  ];
}

function timeline(events: QueuedJobEvent[]): Html {
  if (events.length === 0) return html`<p class="mute">Its events have expired (EVENT_TTL).</p>`;
  const head = html`<th class="number">number</th>
    <th>event</th>
    <th>at</th>
    <th class="number">since previous</th>
    <th class="number">version</th>
    <th class="number">attempts</th>
    <th>error</th>`;
  const lines = events.map((event, i) => timelineLine(event, events[i - 1]));
  return wideTable(head, lines);
}

function timelineLine(
  { seq, type, at, queuedJob }: QueuedJobEvent,
  previous: QueuedJobEvent | undefined,
): Html {
  const { error } = queuedJob;
  const isFailure = type === "RETRYING" || type === "FAILED";
  return html`<tr>
    ${numberCell(seq)}
    <td class="status ${type}">${type}</td>
    <td class="id">${at}</td>
    ${numberCell(previous && `+ ${inSeconds(secondsBetween(previous.at, at))}`)}
    ${numberCell(queuedJob.version)}${numberCell(queuedJob.attempts)}
    <td class="${error && "cell"}">${isFailure && error && `${error.code}: ${error.message}`}</td>
  </tr>`;
}

interface StoredFile {
  name: string;
  url: string;
  mimeType: string;
  byteSize: number;
  width: number | null;
  height: number | null;
}

function fileTable(list: StoredFile[], missing: number): Html {
  if (list.length === 0 && missing <= 0) return html`<p class="mute">None.</p>`;
  const table = list.length > 0 && wideTable(null, list.map(fileLine));
  return html`${table}${missing > 0 && html`<p class="mute">${missing} deleted.</p>`}`;
}

function fileLine({ name, url, mimeType, byteSize, width, height }: StoredFile): Html {
  return html`<tr>
    <td class="cell"><a href="${url}">${name}</a></td>
    <td>${mimeType}</td>
    ${numberCell(`${byteSize.toLocaleString("en")} B`)}
    ${numberCell(width && `${width} × ${height}`)}
  </tr>`;
}

function json(value: unknown): Html {
  return value === null
    ? html`<p class="mute">None.</p>`
    : html`<pre tabindex="0">${JSON.stringify(value, null, 2)}</pre>`;
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
