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

const INVALID_ID = html`<p class="refused" role="alert">Not a valid job id: ids are UUIDs.</p>`;
const ABOUT_STATISTICS =
  `Based on up to ${COUNTED_FINISHED.toLocaleString("en")} retained jobs. The failure rate ` +
  "excludes cancelled jobs. Durations are those of the latest attempts.";

/** The search form's fields, which are also the query parameters. */
interface Search {
  id: string;
  user: string;
  status: string;
  job: string;
  before: string;
}

/** Pages for the QueuedJobs of all users: statistics, search, and details. */
export function registerJobPages(
  scope: FastifyInstance,
  { database }: { database: Database },
): void {
  scope.get<{ Querystring: Record<string, unknown> }>(PATH, async (request, reply) => {
    const search = readSearch(request.query);
    if (isUuid(search.id)) return reply.redirect(`${PATH}/${search.id.toLowerCase()}`, 303);
    const statistics = await readJobStatistics(database);
    const matches = search.id === "" ? await find(database, search) : null;
    const names = statistics.map(({ jobName }) => jobName);
    const content = html`${form(search, names)}
      ${matches ? results(search, matches) : INVALID_ID}
      <h2>Throughput</h2>
      ${statisticsTable(statistics)}
      <p class="mute">${ABOUT_STATISTICS}</p>`;
    return sendPage(reply, { title: "Jobs", place: "Jobs", content });
  });

  scope.get<{ Params: { id: string } }>(`${PATH}/:id`, async (request, reply) => {
    const { id } = request.params;
    const details = isUuid(id) ? await readQueuedJobDetails(database, id) : null;
    if (!details)
      return sendPage(reply.code(404), {
        title: "Not found",
        place: "Jobs",
        content: html`<p>No job and no event has the id <code>${id}</code>.
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
  // PostgreSQL rejects NUL characters, and no searchable value contains one.
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
  return searchQueuedJobs(database, {
    user: user || null,
    status: QUEUED_JOB_STATUSES.find((name) => name === status) ?? null,
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
    ? "No match among the newest jobs; older jobs exist."
    : "No jobs match.";
  const table = rows.length === 0 ? html`<p>${nothing}</p>` : resultTable(rows);
  const newest = before && html`<a href="${address({})}">Newest</a> `;
  const older =
    nextBeforeId && html`<a href="${address({ before: nextBeforeId })}" rel="next">Older</a>`;
  return html`${table}
    <p>${newest}${older}</p>`;
}

function resultTable(rows: FoundQueuedJob[]): Html {
  // The most important columns come first, where a narrow window shows them.
  const head = html`<th>state</th>
    <th>job</th>
    <th>id</th>
    <th>user</th>
    <th>submitted</th>
    <th class="number">total time</th>
    <th class="number">attempts</th>`;
  return wideTable(head, rows.map(resultLine));
}

function resultLine(row: FoundQueuedJob): Html {
  const { id, userId, createdAt, finishedAt } = row;
  const totalSeconds =
    finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(createdAt)) / 1000;
  return html`<tr>
    <td>${statusOf(row)}</td>
    <td>${row.jobName}</td>
    <td class="id"><a href="${PATH}/${id}">${id}</a></td>
    <td><a href="${PATH}?user=${userId}">${row.email}</a></td>
    <td class="id">${createdAt}</td>
    ${numberCell(inSeconds(totalSeconds))}${numberCell(row.attempts)}
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

/** Backlog, throughput and failures, one row per Job. */
function statisticsTable(statistics: JobStatistics[]): Html {
  const heads = (period: string) =>
    ["ok", "failed", "rate", "median", "slowest"].map(
      (name) => html`<th class="number">${name}<small>${period}</small></th>`,
    );
  const head = html`<th>job</th>
    <th class="number">waiting</th>
    <th class="number">longest wait</th>
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
