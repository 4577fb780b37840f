import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { quoteText, READ_ONLY_SCHEMA } from "../../db/read-only-role.js";
import { READ_ONLY_VIEWS, type ReadOnlyView } from "../../db/read-only-role/read-only-views.js";
import type { ReadOnlyAnswer, ReadOnlyQueries } from "../../db/read-only-queries.js";
import { RefusedQueryError } from "../../db/refused-query-error.js";
import type { Logger } from "../../runtime/logger.js";
import { html, numberCell, sendPage, wideTable, type Html } from "./page.js";
import {
  EDITOR_SCRIPT,
  EDITOR_SCRIPT_PATH,
  linkTo,
  listSavedQueries,
  renderEditor,
  SAVED_QUERIES,
} from "./query-editor.js";

const PATH = "/admin/db";
const PAGE_ROWS = 50;
const CSV_ROWS = 5000;
/** Rows are counted up to this number and estimated beyond. */
const MAX_COUNTED = 10_000;

const ABOUT = "Secrets are hidden. Queries run as a read-only role.";

type Browse = { Params: { table: string }; Querystring: { after?: string | string[] } };

/** Pages for tables, their rows, and SQL. All statements run as a read-only role. */
export function registerDatabasePages(
  scope: FastifyInstance,
  { queries, log }: { queries: ReadOnlyQueries; log: Logger },
): void {
  const [example = ""] = Object.values(SAVED_QUERIES);
  scope.get<{ Querystring: { sql?: unknown } }>(PATH, async ({ query: { sql } }, reply) =>
    sendEditor(reply, {
      text: typeof sql === "string" ? sql : example,
      below: html`<h2>Saved queries</h2>
        ${listSavedQueries()}
        <h2>Tables</h2>
        ${await listTables(queries)}
        <p class="mute">${ABOUT}</p>`,
    }),
  );
  scope.get(EDITOR_SCRIPT_PATH, (_request, reply) =>
    reply.type("text/javascript; charset=utf-8").send(EDITOR_SCRIPT),
  );
  // POST only, so that a link cannot run a query.
  scope.post<{ Body: URLSearchParams }>(PATH, (request, reply) =>
    runQuery(request, reply, { queries, log }),
  );
  scope.get<Browse>(`${PATH}/:table`, (request, reply) => browseTable(request, reply, queries));
}

async function runQuery(
  request: FastifyRequest<{ Body: URLSearchParams }>,
  reply: FastifyReply,
  { queries, log }: { queries: ReadOnlyQueries; log: Logger },
): Promise<FastifyReply> {
  const text = request.body.get("sql") ?? "";
  const asCsv = request.body.get("format") === "csv";
  try {
    const answer = await queries.run(text, asCsv ? { rows: CSV_ROWS } : {});
    // Do not log the statement: it can contain personal data.
    log.info(
      { requestId: request.id, rows: answer.rows.length, ms: Math.round(answer.ms) },
      "an operator ran a query",
    );
    if (asCsv) return sendCsv(reply, answer);
    return sendEditor(reply, {
      text,
      below: html`<p role="status">${describeAnswer(answer)}</p>
        ${tableOf(answer.columns, answer.rows)}
        <p>${linkTo(text, "Link to this query")}</p>`,
    });
  } catch (error) {
    if (!(error instanceof RefusedQueryError)) throw error;
    return sendEditor(reply.code(error.later ? 503 : 400), {
      text,
      below: html`<p class="refused" role="alert">${error.message}</p>`,
    });
  }
}

/** Sends the page with the editor, whose script is the only one that it may load. */
function sendEditor(reply: FastifyReply, { text, below }: { text: string; below: Html }) {
  const policy = String(reply.getHeader("content-security-policy"));
  return sendPage(reply.header("content-security-policy", `${policy}; script-src 'self'`), {
    title: "Database",
    place: "Database",
    content: html`${renderEditor(text)} ${below}`,
  });
}

function describeAnswer({ rows, more, ms }: ReadOnlyAnswer): string {
  const all = `${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
  const count = more ? `The first ${rows.length} rows; there are more` : all;
  return `${count}. ${ms.toFixed(0)} ms.`;
}

async function browseTable(
  request: FastifyRequest<Browse>,
  reply: FastifyReply,
  queries: ReadOnlyQueries,
): Promise<unknown> {
  const { table } = request.params;
  const view = Object.hasOwn(READ_ONLY_VIEWS, table) ? READ_ONLY_VIEWS[table] : undefined;
  if (!view) return reply.callNotFound();
  const after = [request.query.after ?? []].flat();
  const { columns, rows, more } = await queries.run(...pageOf(table, view, after));
  const next = more && nextPage(view, rows.at(-1) ?? []);
  const keys = view.key.join(", ");
  const first = after.length > 0 && html`<a href="${PATH}/${table}">First page</a> `;
  const later = next && html`<a href="${PATH}/${table}?${next}" rel="next">Next page</a>`;
  return sendPage(reply, {
    title: table,
    place: "Database",
    content: html`<p class="mute">${PAGE_ROWS} rows per page, ordered by ${keys}, descending.</p>
      ${tableOf(columns, rows)}
      <p>${first}${later}</p>`,
  });
}

function sendCsv(reply: FastifyReply, { columns, rows, more }: ReadOnlyAnswer): FastifyReply {
  const filename = more ? `query-first-${rows.length}-rows.csv` : "query.csv";
  const names = columns.map(({ name }) => name);
  return reply
    .type("text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="${filename}"`)
    .send(toCsv(names, rows));
}

async function listTables(queries: ReadOnlyQueries): Promise<Html> {
  const { rows } = await queries.run(
    Object.keys(READ_ONLY_VIEWS).map(measureTable).join(" union all "),
  );
  const line = ([name, counted, estimated, size]: (string | null)[]) => {
    const count =
      Number(counted) > MAX_COUNTED ? `about ${Math.max(Number(estimated), MAX_COUNTED)}` : counted;
    return html`<tr>
      <th scope="row"><a href="${PATH}/${name}">${name}</a></th>
      ${numberCell(count)}${numberCell(size)}
      <td class="cell mute">${READ_ONLY_VIEWS[name ?? ""]?.columns.join(", ")}</td>
    </tr>`;
  };
  const head = html`<th>table</th>
    <th class="number">rows</th>
    <th class="number">size</th>
    <th>columns</th>`;
  return wideTable(head, rows.map(line));
}

/**
 * Selects the name, the row count up to a bound, PostgreSQL's estimate, and the size; the last two
 * of all partitions.
 */
function measureTable(name: string): string {
  return `(
    select
      '${name}',
      (select count(*) from (select from ${READ_ONLY_SCHEMA}.${name} limit ${MAX_COUNTED + 1}) few),
      sum(greatest(c.reltuples, s.n_live_tup, 0))::bigint,
      pg_size_pretty(sum(pg_total_relation_size(c.oid)))
    from pg_class t left join pg_inherits i on i.inhparent = t.oid
      join pg_class c on c.oid in (t.oid, i.inhrelid)
      left join pg_stat_all_tables s on s.relid = c.oid
    where t.relname = '${name}' and (c.relkind = 'r' or i.inhrelid is null)
      and t.relnamespace = (select oid from pg_namespace where nspname = 'public')
  )`;
}

function pageOf(
  table: string,
  { key, columns }: ReadOnlyView,
  after: string[],
): [string, { rows: number }] {
  const behind =
    after.length === key.length
      ? `where (${key.join(", ")}) < (${after.map(quoteText).join(", ")})`
      : "";
  return [
    `select ${columns.join(", ")} from ${READ_ONLY_SCHEMA}.${table} ${behind} order by ` +
      `${key.map((column) => `${column} desc`).join(", ")}`,
    { rows: PAGE_ROWS },
  ];
}

function nextPage({ key, columns }: ReadOnlyView, last: (string | null)[]): string {
  return new URLSearchParams(
    key.map((column): [string, string] => ["after", last[columns.indexOf(column)] ?? ""]),
  ).toString();
}

/** Values up to this length stay on one line, for example ids, instants and addresses. */
const SHORT = 40;
/**
 * A cell shows only the beginning of a longer value until it is opened. Otherwise one long value
 * would push all other rows away.
 */
const LONG = 160;
const SHOWN = 80;
const NUMBERS = /^(smallint|integer|bigint|numeric|real|double precision)/;

/** Renders a result. Null and the empty string look different. */
function tableOf(
  columns: readonly { name: string; type: string }[],
  rows: readonly (readonly (string | null)[])[],
): Html {
  const isNumber = columns.map(({ type }) => NUMBERS.test(type));
  function cell(value: string | null, i: number): Html {
    if (value === null) return html`<td class="null">null</td>`;
    const textClass = value.length <= SHORT ? "short" : "cell";
    const text = value.length <= LONG ? value : opened(value);
    return html`<td class="${isNumber[i] ? "number" : textClass}">${text}</td>`;
  }
  const heads = columns.map(
    ({ name, type }, i) =>
      html`<th class="${isNumber[i] ? "number" : ""}">${name}<small>${type}</small></th>`,
  );
  return wideTable(
    html`${heads}`,
    rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`),
  );
}

function opened(value: string): Html {
  const beginning = [...value].slice(0, SHOWN).join("");
  return html`<details><summary>${beginning}…</summary>${value}</details>`;
}

/** RFC 4180. A value that a spreadsheet could take for a formula gets a leading apostrophe. */
export function toCsv(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): string {
  return [columns, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
}

function cellOf(value: string | null): string {
  if (value === null) return "";
  const isFormula = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value);
  const text = isFormula ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
