import type { FastifyInstance } from "fastify";
import type { Database } from "../../db/database.js";
import {
  readOperatorActions,
  type RecordedAction,
} from "../../services/operators/operator-actions.js";
import { isUuid } from "../../services/reads/ids.js";
import { textOf } from "./job-search.js";
import { html, numberCell, sendPage, shortTime, wideTable, type Html } from "./page.js";

const PATH = "/admin/audit";
const PAGE_ROWS = 50;

/** The page of what operators did, newest first. */
export function registerAuditPage(
  scope: FastifyInstance,
  { database }: { database: Database },
): void {
  scope.get<{ Querystring: Record<string, unknown> }>(PATH, async (request, reply) => {
    const before = textOf(request.query["before"]);
    const actions = await readOperatorActions(database, {
      beforeId: before || null,
      first: PAGE_ROWS + 1,
    });
    const page = actions.slice(0, PAGE_ROWS);
    const last = actions.length > PAGE_ROWS ? page.at(-1)?.id : undefined;
    const newest = before && html`<a href="${PATH}">Newest</a> `;
    const older = last && html`<a href="${PATH}?before=${last}" rel="next">Older</a>`;
    return sendPage(reply, {
      title: "Audit",
      place: "Audit",
      content: html`<p class="mute">What operators did, kept for 400 days. Times are in UTC.</p>
        ${page.length === 0 ? html`<p>No action is recorded.</p>` : table(page)}
        <p>${newest}${older}</p>`,
    });
  });
}

function table(actions: RecordedAction[]): Html {
  const head = html`<th>at</th>
    <th>action</th>
    <th class="number">count</th>
    <th>target</th>
    <th>by</th>
    <th>request id</th>`;
  return wideTable(head, actions.map(line));
}

function line({ at, actor, action, target, count, requestId }: RecordedAction): Html {
  return html`<tr>
    <td class="id">${shortTime(at)}</td>
    <th scope="row" class="short">${action}</th>
    ${numberCell(count)}
    <td class="cell">${describeTarget(target)}</td>
    <td class="short">${actor}</td>
    <td class="id">${requestId}</td>
  </tr>`;
}

/** Links an operation and a QueuedJob; shows what else is recorded as text. */
function describeTarget(target: Record<string, unknown>): Html[] {
  return Object.entries(target).flatMap(([name, value]) => {
    if (value === null) return [];
    if (Array.isArray(value)) return describeTarget({ [name]: value.join(", ") });
    if (typeof value === "object") return describeTarget(value as Record<string, unknown>);
    const text = String(value);
    if (name === "operation" && isUuid(text))
      return [html`<a href="/admin/operations/${text}">operation</a> `];
    return [html`<span class="mute">${name}</span> ${text} `];
  });
}
