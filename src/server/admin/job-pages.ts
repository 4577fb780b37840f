import type { FastifyInstance } from "fastify";
import type { Database } from "../../db/database.js";
import { QUEUED_JOB_STATUSES, type QueuedJobStatus } from "../../domain/queued-job-status.js";
import { isUuid } from "../../services/reads/ids.js";
import {
  COUNTED_FINISHED,
  readJobStatistics,
  type JobStatistics,
  type Outcomes,
  readQueuedJobDetails,
  searchQueuedJobs,
  type FoundQueuedJob,
  type FoundQueuedJobs,
} from "../../services/reads/operator-reads.js";
import { renderJobDetails } from "./render-job-details.js";
import { html, inSeconds, numberCell, sendPage, wideTable, type Html } from "./page.js";

const PATH = "/admin/jobs";
const PAGE_ROWS = 50;

const NO_ID = html`<p class="refused" role="alert">This is no id: ids are UUIDs.</p>`;
const ABOUT_FIGURES =
  "Of those that finished and are still kept, the last " +
  `${COUNTED_FINISHED.toLocaleString("en")} at most; the rate is of failures among those that ` +
  "ran to an end, the durations are of the latest attempts.";

/** Names of the form's fields, and of the address's. */
interface Search {
  id: string;
  user: string;
  status: string;
  job: string;
  before: string;
}

/** QueuedJobs of everybody: statistics, search, and one with its whole story. */
export function registerJobPages(
  scope: FastifyInstance,
  { database }: { database: Database },
): void {
  scope.get<{ Querystring: Record<string, unknown> }>(PATH, async (request, reply) => {
    const search = readSearch(request.query);
    if (isUuid(search.id)) return reply.redirect(`${PATH}/${search.id.toLowerCase()}`, 303);
    const statistics = await readJobStatistics(database);
    const found = search.id === "" ? await find(database, search) : null;
    const names = statistics.map(({ jobName }) => jobName);
    const content = html`${form(search, names)}
      ${found ? results(search, found) : NO_ID}
      <h2>Throughput</h2>
      ${statisticsTable(statistics)}
      <p class="mute">${ABOUT_FIGURES}</p>`;
    return sendPage(reply, { title: "Jobs", place: "Jobs", content });
  });

  scope.get<{ Params: { id: string } }>(`${PATH}/:id`, async (request, reply) => {
    const { id } = request.params;
    const details = isUuid(id) ? await readQueuedJobDetails(database, id) : null;
    if (!details)
      return sendPage(reply.code(404), {
        title: "Not found",
        place: "Jobs",
        content: html`<p>There is no QueuedJob with the id <code>${id}</code>, and no event of one.
          <a href="${PATH}">Search</a></p>`,
      });
    return sendPage(reply, {
      title: `${(details.row ?? details.events.at(-1)?.queuedJob)?.jobName} ${id}`,
      place: "Jobs",
      content: renderJobDetails(details),
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
    ["", ...names].map((name) => {
      const selected = name === chosen && html`selected`;
      return html`<option value="${name}" ${selected}>${name || "any"}</option>`;
    });
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
  const nothing = nextBeforeId
    ? "Nothing among the latest; there are older ones."
    : "Nothing was found.";
  const found = rows.length === 0 ? html`<p>${nothing}</p>` : resultTable(rows);
  const newest = before && html`<a href="${address({})}">Newest</a> `;
  const older =
    nextBeforeId && html`<a href="${address({ before: nextBeforeId })}" rel="next">Older</a>`;
  return html`${found}
    <p>${newest}${older}</p>`;
}

function resultTable(rows: FoundQueuedJob[]): Html {
  // What is looked for first stands where a narrow window shows it.
  const head = html`<th>state</th>
    <th>job</th>
    <th>id</th>
    <th>user</th>
    <th>submitted</th>
    <th class="number">done after</th>
    <th class="number">attempts</th>`;
  return wideTable(head, rows.map(resultLine));
}

function resultLine(row: FoundQueuedJob): Html {
  const { id, userId, createdAt, finishedAt } = row;
  const doneAfter =
    finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(createdAt)) / 1000;
  return html`<tr>
    <td>${statusOf(row)}</td>
    <td>${row.jobName}</td>
    <td class="id"><a href="${PATH}/${id}">${id}</a></td>
    <td><a href="${PATH}?user=${userId}">${row.email}</a></td>
    <td class="id">${createdAt}</td>
    ${numberCell(inSeconds(doneAfter))}${numberCell(row.attempts)}
  </tr>`;
}

function statusOf({
  status,
  errorCode,
}: {
  status: QueuedJobStatus;
  errorCode: string | null;
}): Html {
  const code = errorCode && html` <span class="mute">${errorCode}</span>`;
  return html`<span class="status ${status}">${status}</span>${code}`;
}

/** Backlog, throughput and failures, a line for each Job. */
function statisticsTable(statistics: JobStatistics[]): Html {
  const heads = (period: string) =>
    ["ok", "failed", "rate", "median", "slowest"].map(
      (name) => html`<th class="number">${name}<small>${period}</small></th>`,
    );
  const head = html`<th>job</th>
    <th class="number">waiting</th>
    <th class="number">longest</th>
    <th class="number">running</th>
    ${heads("last hour")}${heads("last day")}`;
  return wideTable(head, statistics.map(statisticsLine));
}

function statisticsLine(statistics: JobStatistics): Html {
  const { jobName, pending, started, oldestWaitSeconds, hour, day } = statistics;
  return html`<tr>
    <th scope="row"><a href="${PATH}?job=${jobName}">${jobName}</a></th>
    ${numberCell(pending)}${numberCell(inSeconds(oldestWaitSeconds))}${numberCell(started)}
    ${outcomes(hour)}${outcomes(day)}
  </tr>`;
}

function outcomes({ succeeded, failed, medianSeconds, slowestSeconds }: Outcomes): Html {
  const percent = (100 * failed) / (succeeded + failed);
  const rate = succeeded + failed === 0 ? "" : `${percent.toFixed(failed === 0 ? 0 : 1)} %`;
  return html`${numberCell(succeeded)}
    <td class="number ${failed > 0 && "FAILED"}">${failed}</td>
    ${numberCell(rate)}${numberCell(inSeconds(medianSeconds))}
    ${numberCell(inSeconds(slowestSeconds))}`;
}
