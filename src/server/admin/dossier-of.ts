import type { QueuedJobDossier } from "../../services/reads/queued-job-dossier.js";
import type { QueuedJobEvent } from "../../domain/queued-job.js";
import { html, type Html } from "./html.js";
import { inSeconds } from "./in-seconds.js";

/** One QueuedJob: what it is now, what it was given and gave, and every step on the way. */
export function dossierOf({ row, events, photos, outputs }: QueuedJobDossier): Html {
  return html`${row ? stateOf(row) : html`<p>It was <span class="status DELETED">deleted</span>; its last event is what is left.</p>`}
<h2>Timeline</h2>${timeline(events)}
${
  row &&
  html`<div class="columns"><section><h2>Parameters</h2>${json(row.parameters)}</section><section><h2>Result</h2>${json(row.result)}</section></div>
<div class="columns"><section><h2>Photos</h2>${files(
    photos.map((photo) => ({ ...photo, name: photo.filename })),
    row.photoCount - photos.length,
  )}</section><section><h2>Outputs</h2>${files(outputs, 0)}</section></div>`
}`;
}

function stateOf(row: NonNullable<QueuedJobDossier["row"]>): Html {
  const wait = row.startedAt && secondsBetween(row.createdAt, row.startedAt);
  const facts: [string, string | number | Html | null][] = [
    [
      "state",
      html`<span class="status ${row.status}">${row.status}</span> ${row.status === "STARTED" && `${Math.round(row.progress * 100)} % ${row.progressMessage ?? ""}`}`,
    ],
    [
      "error",
      row.error && html`<span class="FAILED">${row.error.code}</span> ${row.error.message}`,
    ],
    ["user", html`<a href="/admin/jobs?user=${row.userId}">${row.email}</a>`],
    [
      "attempts",
      `${row.attempts}; ${row.failures} failed and ${row.stalls} lost with their worker ` +
        "since the last submission or retry",
    ],
    ["worker", row.worker],
    ["request id", row.requestId],
    ["priority", row.priority],
    ["submitted", row.createdAt],
    ["wanted at", row.runAt],
    ["due", row.status === "PENDING" ? row.dueAt : null],
    [
      "started",
      row.startedAt &&
        html`${row.startedAt} <span class="mute">(latest attempt, ${inSeconds(wait || 0)} after it was submitted)</span>`,
    ],
    ["lease until", row.leaseUntil],
    [
      "finished",
      row.finishedAt &&
        html`${row.finishedAt} ${row.startedAt && html`<span class="mute">(after ${inSeconds(secondsBetween(row.startedAt, row.finishedAt))})</span>`}`,
    ],
    ["kept until", row.expiresAt],
    [
      "reused from",
      row.reusedFrom && html`<a href="/admin/jobs/${row.reusedFrom}">${row.reusedFrom}</a>`,
    ],
    ["version, run", `${row.version}, ${row.run}`],
  ];
  return html`<dl>${facts.filter(([, value]) => value !== null).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`;
}

function timeline(events: QueuedJobEvent[]): Html {
  if (events.length === 0) return html`<p class="mute">Its events are older than EVENT_TTL.</p>`;
  const line = (
    { seq, type, at, queuedJob }: QueuedJobEvent,
    i: number,
  ) => html`<tr><td class="number">${seq}</td><td class="status ${type}">${type}</td><td class="id">${at}</td>
<td class="number">${i > 0 && `+ ${inSeconds(secondsBetween(events[i - 1]?.at ?? at, at))}`}</td><td class="number">${queuedJob.version}</td><td class="number">${queuedJob.attempts}</td><td class="${queuedJob.error && "cell"}">${(type === "RETRYING" || type === "FAILED") && queuedJob.error && `${queuedJob.error.code}: ${queuedJob.error.message}`}</td></tr>\n`;
  return html`<div class="wide" tabindex="0"><table><thead><tr><th class="number">number</th><th>event</th><th>at</th><th class="number">after</th><th class="number">version</th><th class="number">attempts</th><th>error</th></tr></thead><tbody>${events.map(line)}</tbody></table></div>`;
}

function files(
  list: {
    name: string;
    mimeType: string;
    byteSize: number;
    width: number | null;
    height: number | null;
  }[],
  missing: number,
): Html {
  const line = (file: (typeof list)[number]) =>
    html`<tr><td class="cell">${file.name}</td><td>${file.mimeType}</td><td class="number">${file.byteSize.toLocaleString("en")} B</td><td class="number">${file.width && `${file.width} × ${file.height}`}</td></tr>\n`;
  if (list.length === 0 && missing <= 0) return html`<p class="mute">None.</p>`;
  return html`${list.length > 0 && html`<div class="wide" tabindex="0"><table><tbody>${list.map(line)}</tbody></table></div>`}${missing > 0 && html`<p class="mute">${missing} deleted.</p>`}`;
}

function json(value: unknown): Html {
  return value === null
    ? html`<p class="mute">None.</p>`
    : html`<pre tabindex="0">${JSON.stringify(value, null, 2)}</pre>`;
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
