import type { FastifyInstance } from "fastify";
import type { Database } from "../../db/database.js";
import type { RecentReads } from "../../db/replica.js";
import type { FileUrls } from "../../photos/file-urls.js";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";
import type { Operations } from "../../services/operators/operations.js";
import { isUuid } from "../../services/reads/ids.js";
import {
  COUNTED_FINISHED,
  readJobStatistics,
  readQueuedJobDetails,
  type JobStatistics,
  type Outcomes,
  type QueuedJobDetails,
} from "../../services/reads/operator-reads.js";
import {
  searchQueuedJobs,
  type FoundQueuedJob,
  type FoundQueuedJobs,
} from "../../services/reads/operator-search.js";
import {
  conditionsOf,
  faultOf,
  parametersOf,
  readJobSearch,
  searchForm,
  textOf,
  toJobFilter,
  type JobSearch,
} from "./job-search.js";
import {
  html,
  inSeconds,
  numberCell,
  readRefresh,
  sendPage,
  shortTime,
  wideTable,
  type Html,
} from "./page.js";
import { renderJobDetails, type JobFiles } from "./render-job-details.js";
import { jobButtons, operationButtons, outcomeOfOne } from "./render-operations.js";

const PATH = "/admin/jobs";
const PAGE_ROWS = 50;

const ABOUT_STATISTICS =
  `Based on up to ${COUNTED_FINISHED.toLocaleString("en")} retained jobs. The failure rate ` +
  "excludes cancelled jobs. Durations are those of the latest attempts; p95 means that 95 % took " +
  "at most this time.";

interface JobPagesOptions {
  database: Database;
  recent: RecentReads;
  operations: Operations;
  fileUrls: Pick<FileUrls, "urlOf">;
  actions: boolean;
}

type Query = { Querystring: Record<string, unknown> };

/** Pages for the QueuedJobs of all users: statistics, search, and details. */
export function registerJobPages(scope: FastifyInstance, options: JobPagesOptions): void {
  const { database, recent, actions } = options;
  scope.get<Query>(PATH, async ({ query }, reply) => {
    const search = readJobSearch(query);
    if (isUuid(search.id)) return reply.redirect(`${PATH}/${search.id.toLowerCase()}`, 303);
    const statistics = await recent.read(readJobStatistics);
    const fault = faultOf(search);
    const refreshSeconds = readRefresh(query["refresh"]);
    const place = {
      search,
      refresh: String(refreshSeconds ?? ""),
      before: textOf(query["before"]),
    };
    const matches = fault === null ? await recent.read((one) => find(one, place)) : null;
    const jobNames = statistics.map(({ jobName }) => jobName);
    const acts = actions && matches && matches.rows.length > 0 && conditionsOf(search).length > 0;
    const content = html`${searchForm(PATH, search, { jobNames, refresh: place.refresh })}
      ${acts && operationButtons(search)}
      ${matches ? results(place, matches) : html`<p class="refused" role="alert">${fault}</p>`}
      <h2>Throughput</h2>
      ${statisticsTable(statistics)}
      <p class="mute">${ABOUT_STATISTICS}</p>`;
    return sendPage(reply, { title: "Jobs", place: "Jobs", content, refreshSeconds });
  });

  scope.get<Query & { Params: { id: string } }>(
    `${PATH}/:id`,
    async ({ params: { id }, query }, reply) => {
      const details = isUuid(id) ? await readQueuedJobDetails(database, id) : null;
      if (!details)
        return sendPage(reply.code(404), {
          title: "Not found",
          place: "Jobs",
          content: html`<p>No job and no event has the id <code>${id}</code>.
            <a href="${PATH}">Search</a></p>`,
        });
      const operation = await options.operations.find(textOf(query["operation"]));
      const files = await signFiles(options.fileUrls, details);
      return sendPage(reply, {
        title: `${(details.row ?? details.events.at(-1)?.queuedJob)?.jobName} ${id}`,
        place: "Jobs",
        content: html`${operation?.filter.id === id.toLowerCase() && outcomeOfOne(operation)}
          ${actions && details.row && jobButtons(details.row)}
          ${renderJobDetails(details, files)}`,
        refreshSeconds: readRefresh(query["refresh"]),
      });
    },
  );
}

/** Signs the URLs of the photos and outputs of a QueuedJob. */
async function signFiles(
  fileUrls: Pick<FileUrls, "urlOf">,
  { row, photos, outputs }: QueuedJobDetails,
): Promise<JobFiles> {
  const id = row?.id ?? "";
  const [photoUrls, outputUrls] = await Promise.all([
    Promise.all(
      photos.map((photo) => fileUrls.urlOf({ kind: "photos", name: photo.filename, ...photo })),
    ),
    Promise.all(outputs.map((output) => fileUrls.urlOf({ kind: "outputs", id, ...output }))),
  ]);
  return {
    photos: photos.map((photo, i) => ({ ...photo, name: photo.filename, url: photoUrls[i] ?? "" })),
    outputs: outputs.map((output, i) => ({ ...output, url: outputUrls[i] ?? "" })),
  };
}

interface Place {
  search: JobSearch;
  /** Seconds between reloads as text; empty without reloading. */
  refresh: string;
  before: string;
}

async function find(database: Database, { search, before }: Place): Promise<FoundQueuedJobs> {
  const filter = await toJobFilter(database, search);
  if (!filter) return { rows: [], nextBeforeId: null };
  const beforeId = isUuid(before) ? before : null;
  return searchQueuedJobs(database, { filter, beforeId, first: PAGE_ROWS });
}

function results({ search, before }: Place, { rows, nextBeforeId }: FoundQueuedJobs): Html {
  const address = (more: Record<string, string>) => `${PATH}?${parametersOf(search, more)}`;
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
    <th>submitted<small>UTC</small></th>
    <th class="number">waited</th>
    <th class="number">ran</th>
    <th class="number">attempts</th>`;
  return wideTable(head, rows.map(resultLine));
}

function resultLine(row: FoundQueuedJob): Html {
  const { id, userId, createdAt, waitedSeconds, ranSeconds } = row;
  const waited =
    waitedSeconds < 0 ? `due in ${inSeconds(-waitedSeconds)}` : inSeconds(waitedSeconds);
  return html`<tr>
    <td>${statusOf(row)}</td>
    <td>${row.jobName}</td>
    <td class="id"><a href="${PATH}/${id}">${id}</a></td>
    <td><a href="${PATH}?user=${userId}">${row.email}</a></td>
    <td class="id">${shortTime(createdAt)}</td>
    ${numberCell(waited)}${numberCell(inSeconds(ranSeconds))}${numberCell(row.attempts)}
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
    ["ok", "failed", "rate", "median", "p95", "p95 wait"].map(
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

function outcomes({ succeeded, failed, ...seconds }: Outcomes): Html {
  const percent = (100 * failed) / (succeeded + failed);
  const rate = succeeded + failed === 0 ? "" : `${percent.toFixed(failed === 0 ? 0 : 1)} %`;
  return html`${numberCell(succeeded)}
    <td class="number ${failed > 0 && "FAILED"}">${failed}</td>
    ${numberCell(rate)}${numberCell(inSeconds(seconds.medianSeconds))}
    ${numberCell(inSeconds(seconds.p95Seconds))}${numberCell(inSeconds(seconds.p95WaitSeconds))}`;
}
