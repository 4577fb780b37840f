import { MAX_COUNTED, type Operation } from "../../services/operators/operations.js";
import { sourcesOf, type BulkAction } from "../../services/queued-jobs/bulk/operator-batch.js";
import { ACTIONS_OFF } from "./actions.js";
import { filterLines, hiddenFields, searchLines, type JobSearch } from "./job-search.js";
import { factList, html, inSeconds, numberCell, shortTime, wideTable, type Html } from "./page.js";

export const OPERATIONS_PATH = "/admin/operations";

interface ActionText {
  verb: string;
  /** The effect on the jobs, for the confirmation. */
  effect: string;
}

const ACTION_TEXTS: Record<BulkAction, ActionText> = {
  RETRY: {
    verb: "Retry",
    effect: "They become PENDING and run again. Jobs whose photo was deleted are skipped.",
  },
  CANCEL: { verb: "Cancel", effect: "They become CANCELLED, and their work is stopped." },
  DELETE: {
    verb: "Delete",
    effect: "They are deleted with their outputs and files. This cannot be undone.",
  },
};

/** The reasons for which a row is skipped, by code. */
const REASONS: Record<string, string> = {
  PHOTO_GONE: "a photo was deleted",
  QUOTA_EXCEEDED: "the quota of the user is full",
  CHANGED: "the job changed while it was locked",
  INTERNAL_SERVER_ERROR: "the database refused it; see the log",
};

function reasonOf(code: string): string {
  return REASONS[code] ?? code;
}

/** "312", "more than 10,000", or "an unknown number of". */
function countText(matched: number | null): string {
  if (matched === null) return "an unknown number of";
  const shown = Math.min(matched, MAX_COUNTED).toLocaleString("en");
  return matched > MAX_COUNTED ? `more than ${shown}` : shown;
}

/** "1 job", "312 jobs", "more than 10,000 jobs". */
function jobsText(matched: number | null): string {
  return `${countText(matched)} ${matched === 1 ? "job" : "jobs"}`;
}

/** The states to which an action applies, or the one of the search. */
function statusesText(action: BulkAction, searched = ""): string {
  return sourcesOf(action)
    .filter((status) => searched === "" || status === searched)
    .join(" or ");
}

/** Buttons that lead from a search to the confirmation of an operation on all its matches. */
export function operationButtons(search: JobSearch): Html {
  const buttons = Object.entries(ACTION_TEXTS).map(
    ([action, { verb }]) =>
      html`<button class="second" name="action" value="${action}">${verb} all that match…</button> `,
  );
  return html`<form class="actions" method="get" action="${OPERATIONS_PATH}/new">
    ${hiddenFields(search)}${buttons}
  </form>`;
}

interface Confirmation {
  action: BulkAction;
  search: JobSearch;
  matched: number | null;
  actions: boolean;
}

export function renderConfirmation({ action, search, matched, actions }: Confirmation): Html {
  const { verb, effect } = ACTION_TEXTS[action];
  const start = html`<form class="actions" method="post" action="${OPERATIONS_PATH}">
    <input type="hidden" name="action" value="${action}">${hiddenFields(search)}
    <button>${verb} ${jobsText(matched)}</button>
  </form>`;
  const offer = actions ? start : html`<p class="refused">${ACTIONS_OFF}</p>`;
  const states = statusesText(action, search.status) || statusesText(action);
  return html`<p role="status">The search matches <strong>${jobsText(matched)}</strong> in the state
      ${states}. ${effect}</p>
    ${factList(searchLines(search))}
    <p class="mute">A worker does it in batches, the oldest first. Jobs submitted from now on are
      left out.</p>
    ${matched === 0 ? html`<p>There is nothing to do.</p>` : offer}
    <p><a href="/admin/jobs">Back to the jobs</a></p>`;
}

function skippedCount({ skipped }: Operation): number {
  return Object.values(skipped).reduce((sum, count) => sum + count, 0);
}

export function renderOperations(
  operations: Operation[],
  { before, next, actions }: { before: string; next: string | null; actions: boolean },
): Html {
  const head = html`<th>state</th>
    <th>operation</th>
    <th class="number">matched</th>
    <th class="number">done</th>
    <th class="number">skipped</th>
    <th>started</th>
    <th>by</th>
    <th>search</th>`;
  const newest = before && html`<a href="${OPERATIONS_PATH}">Newest</a> `;
  const older = next && html`<a href="${OPERATIONS_PATH}?before=${next}" rel="next">Older</a>`;
  const table =
    operations.length === 0
      ? html`<p>No operation was started.</p>`
      : wideTable(head, operations.map(operationLine));
  return html`<p class="mute">To start one, <a href="/admin/jobs">search jobs</a> and choose what to
      do with all that match. ${actions ? "" : ACTIONS_OFF} Times are in UTC.</p>
    ${table}
    <p>${newest}${older}</p>`;
}

function operationLine(operation: Operation): Html {
  const { id, action, state, matched, done, createdAt, actor, filter } = operation;
  const search = filterLines(filter).map(([name, value]) => `${name}: ${value}`);
  return html`<tr>
    <td><span class="status ${state}">${state}</span></td>
    <th scope="row"><a href="${OPERATIONS_PATH}/${id}">${ACTION_TEXTS[action].verb}</a></th>
    ${numberCell(matched === null ? "" : countText(matched))}
    ${numberCell(done)}${numberCell(skippedCount(operation))}
    <td class="id">${shortTime(createdAt)}</td>
    <td class="short">${actor}</td>
    <td class="cell">${search.join(", ")}</td>
  </tr>`;
}

export function renderOperation(
  operation: Operation,
  { actions, refreshSeconds }: { actions: boolean; refreshSeconds: number | undefined },
): Html {
  const { id, action, state, matched, done, waiting } = operation;
  const runs = state === "RUNNING";
  const skipped = skippedCount(operation);
  const maximum = matched !== null && matched > 0 && matched <= MAX_COUNTED ? matched : null;
  const bar =
    maximum !== null &&
    html`<p><progress aria-label="Jobs done" max="${maximum}"
      value="${Math.min(maximum, done + skipped)}"></progress></p>`;
  const reload = refreshSeconds
    ? html`<a href="${OPERATIONS_PATH}/${id}">Stop reloading</a>`
    : html`<a href="${OPERATIONS_PATH}/${id}?refresh=2">Reload every 2 s</a>`;
  const stop = html`<form class="actions" method="post" action="${OPERATIONS_PATH}/${id}/stop">
    <button class="second">Stop this operation</button>
  </form>`;
  return html`<p role="status"><span class="status ${state}">${state}</span>
      ${ACTION_TEXTS[action].verb}: ${done.toLocaleString("en")} of ${jobsText(matched)} done,
      ${skipped.toLocaleString("en")} skipped${waiting > 0 && `, ${waiting} locked for now`}.</p>
    ${bar}
    ${runs && actions && stop}
    ${runs && html`<p>${reload}</p>`}
    ${skippedTable(operation)}
    ${factList(factsOf(operation))}`;
}

function skippedTable({ skipped }: Operation): Html | false {
  const lines = Object.entries(skipped).map(
    ([code, count]) => html`<tr>
      <th scope="row">${code}</th>${numberCell(count)}<td>${reasonOf(code)}</td>
    </tr>`,
  );
  const head = html`<th>skipped</th><th class="number">jobs</th><th>because</th>`;
  return lines.length > 0 && wideTable(head, lines);
}

function factsOf(operation: Operation): [string, string | Html | null][] {
  const { filter, actor, requestId, createdAt, updatedAt, finishedAt } = operation;
  const end = Date.parse(finishedAt ?? updatedAt);
  return [
    ...filterLines(filter),
    ["Started", createdAt],
    ["By", actor],
    ["Request id", requestId],
    ["Last progress", updatedAt],
    ["Ended", finishedAt ?? "not yet"],
    ["Took", inSeconds((end - Date.parse(createdAt)) / 1000)],
  ];
}

/** Buttons for one QueuedJob, by its status. Deleting asks for confirmation. */
export function jobButtons({ id, status }: { id: string; status: string }): Html {
  const applies = (action: BulkAction) => (sourcesOf(action) as readonly string[]).includes(status);
  const direct = (["RETRY", "CANCEL"] as const).filter(applies).map(
    (action) => html`<form class="actions" method="post" action="${OPERATIONS_PATH}">
      <input type="hidden" name="id" value="${id}">
      <button name="action" value="${action}">${ACTION_TEXTS[action].verb} this job</button>
    </form>`,
  );
  const removal = html`<form class="actions" method="get" action="${OPERATIONS_PATH}/new">
    <input type="hidden" name="id" value="${id}">
    <button class="second" name="action" value="DELETE">Delete this job…</button>
  </form>`;
  return html`<div class="buttons">${direct}${applies("DELETE") && removal}</div>`;
}

/** The outcome of an operation on a single QueuedJob. */
export function outcomeOfOne({ id, action, state, done, skipped }: Operation): Html {
  const past = { RETRY: "retried", CANCEL: "cancelled", DELETE: "deleted" }[action];
  const [code] = Object.keys(skipped);
  if (done > 0) return html`<p role="status">The job was ${past}.</p>`;
  if (state === "RUNNING")
    return html`<p role="status">The <a href="${OPERATIONS_PATH}/${id}">operation</a> is under
      way.</p>`;
  const why = code
    ? `${reasonOf(code)}.`
    : `only a job that is ${statusesText(action)} can be ${past}.`;
  return html`<p class="refused" role="alert">The job was not ${past}: ${why}</p>`;
}
