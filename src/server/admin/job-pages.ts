import type { FastifyInstance } from "fastify";
import type { Database } from "../../db/database.js";
import { QUEUED_JOB_STATUSES, type QueuedJobStatus } from "../../domain/queued-job-status.js";
import { isUuid } from "../../services/reads/ids.js";
import { COUNTED_FINISHED, readJobFigures } from "../../services/reads/job-figures.js";
import { readQueuedJobDossier } from "../../services/reads/queued-job-dossier.js";
import {
  searchQueuedJobs,
  type FoundQueuedJob,
  type FoundQueuedJobs,
} from "../../services/reads/queued-job-search.js";
import { dossierOf } from "./dossier-of.js";
import { figuresTable } from "./figures-table.js";
import { html, type Html } from "./html.js";
import { inSeconds } from "./in-seconds.js";
import { sendPage } from "./page.js";

const PATH = "/admin/jobs";
const PAGE_ROWS = 50;

/** Names of the form's fields, and of the address's. */
interface Search {
  id: string;
  user: string;
  status: string;
  job: string;
  before: string;
}

/** QueuedJobs of everybody: figures, search, and one with its whole story. */
export function registerJobPages(
  scope: FastifyInstance,
  { database }: { database: Database },
): void {
  scope.get<{ Querystring: Record<string, unknown> }>(PATH, async (request, reply) => {
    const search = readSearch(request.query);
    if (isUuid(search.id)) return reply.redirect(`${PATH}/${search.id.toLowerCase()}`, 303);
    const figures = await readJobFigures(database);
    const found = search.id === "" ? await find(database, search) : null;
    const names = figures.map(({ jobName }) => jobName);
    const content = html`${form(search, names)}${found ? results(search, found) : html`<p class="refused" role="alert">This is no id: ids are UUIDs.</p>`}
<h2>Throughput</h2>${figuresTable(figures)}<p class="mute">Of those that finished and are still kept, the last ${COUNTED_FINISHED.toLocaleString("en")} at most; the rate is of failures among those that ran to an end, the durations are of the latest attempts.</p>`;
    return sendPage(reply, { title: "Jobs", place: "Jobs", content });
  });

  scope.get<{ Params: { id: string } }>(`${PATH}/:id`, async (request, reply) => {
    const { id } = request.params;
    const dossier = isUuid(id) ? await readQueuedJobDossier(database, id) : null;
    if (!dossier)
      return sendPage(reply.code(404), {
        title: "Not found",
        place: "Jobs",
        content: html`<p>There is no QueuedJob with the id <code>${id}</code>, and no event of one. <a href="${PATH}">Search</a></p>`,
      });
    return sendPage(reply, {
      title: `${(dossier.row ?? dossier.events.at(-1)?.queuedJob)?.jobName} ${id}`,
      place: "Jobs",
      content: dossierOf(dossier),
    });
  });
}

function readSearch(query: Record<string, unknown>): Search {
  // PostgreSQL takes no NUL, and nothing that is searched for has one.
  const text = (name: keyof Search) =>
    typeof query[name] === "string" ? query[name].replaceAll("\0", "").trim() : "";
  return {
    id: text("id"),
    user: text("user"),
    status: text("status"),
    job: text("job"),
    before: text("before"),
  };
}

function find(database: Database, { user, status, job, before }: Search): Promise<FoundQueuedJobs> {
  const known = QUEUED_JOB_STATUSES.find((name) => name === status) ?? null;
  return searchQueuedJobs(database, {
    user: user || null,
    status: known,
    jobName: job || null,
    beforeId: isUuid(before) ? before : null,
    first: PAGE_ROWS,
  });
}

function form({ id, user, status, job }: Search, jobNames: string[]): Html {
  const options = (names: readonly string[], chosen: string) =>
    ["", ...names].map(
      (name) =>
        html`<option value="${name}" ${name === chosen && html`selected`}>${name || "any"}</option>`,
    );
  return html`<form method="get" action="${PATH}">
<label>Id <input name="id" value="${id}" autocomplete="off"></label>
<label>User: e-mail or id <input name="user" value="${user}" autocomplete="off"></label>
<label>State <select name="status">${options(QUEUED_JOB_STATUSES, status)}</select></label>
<label>Job <select name="job">${options(jobNames, job)}</select></label>
<button>Search</button>
</form>`;
}

function results(search: Search, { rows, nextBeforeId }: FoundQueuedJobs): Html {
  const { id: _, before, ...kept } = search;
  const address = (more: Record<string, string>) =>
    `${PATH}?${new URLSearchParams({ ...kept, ...more }).toString()}`;
  const found =
    rows.length === 0
      ? html`<p>${nextBeforeId ? "Nothing among the latest; there are older ones." : "Nothing was found."}</p>`
      : resultTable(rows);
  return html`${found}<p>${before && html`<a href="${address({})}">Newest</a> `}${nextBeforeId && html`<a href="${address({ before: nextBeforeId })}" rel="next">Older</a>`}</p>`;
}

function resultTable(rows: FoundQueuedJob[]): Html {
  // What is looked for first stands where a narrow window shows it.
  const line = (
    row: FoundQueuedJob,
  ) => html`<tr><td>${statusOf(row)}</td><td>${row.jobName}</td><td class="id"><a href="${PATH}/${row.id}">${row.id}</a></td>
<td><a href="${PATH}?user=${row.userId}">${row.email}</a></td><td class="id">${row.createdAt}</td><td class="number">${inSeconds(row.finishedAt === null ? null : (Date.parse(row.finishedAt) - Date.parse(row.createdAt)) / 1000)}</td><td class="number">${row.attempts}</td></tr>\n`;
  return html`<div class="wide" tabindex="0"><table><thead><tr><th>state</th><th>job</th><th>id</th><th>user</th><th>submitted</th><th class="number">done after</th><th class="number">attempts</th></tr></thead><tbody>${rows.map(line)}</tbody></table></div>`;
}

function statusOf({
  status,
  errorCode,
}: {
  status: QueuedJobStatus;
  errorCode: string | null;
}): Html {
  return html`<span class="status ${status}">${status}</span>${errorCode && html` <span class="mute">${errorCode}</span>`}`;
}
