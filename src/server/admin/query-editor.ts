import { html, type Html } from "./page.js";

const PATH = "/admin/db";
export const EDITOR_SCRIPT_PATH = "/admin/query-editor.js";

/** Longest query for which there is a link; proxies refuse much longer URLs. */
const MAX_LINKED = 4000;

/**
 * Runs the query on Ctrl-Enter, and puts its link into the address bar. The page works without it.
 */
export const EDITOR_SCRIPT = `const form = document.querySelector("form");
const link = document.querySelector("a[rel=bookmark]");
if (link) history.replaceState(null, "", link.href);
form.elements.sql.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("button"));
});
`;

/** Queries that operators often need, by title. */
export const SAVED_QUERIES: Readonly<Record<string, string>> = {
  "Jobs by kind and state": `select job_name, status, count(*), max(finished_at) as last
from queued_jobs group by 1, 2 order by 1, 2`,
  "Failures of the last day": `select job_name, error_code, count(*), max(finished_at) as last,
  min(error_message) as example
from queued_jobs
where status = 'FAILED' and finished_at > now() - interval '1 day'
group by 1, 2 order by 3 desc`,
  "Running jobs": `select worker, job_name, id, user_id, attempts, now() - started_at as since
from queued_jobs where status = 'STARTED' order by started_at`,
  "Longest waiting jobs": `select id, job_name, user_id, now() - due_at as waits, attempts, priority
from queued_jobs where status = 'PENDING' and due_at < now() order by due_at limit 100`,
  "Slowest jobs of the last day": `select id, job_name, finished_at - started_at as took, worker
from queued_jobs
where status = 'SUCCESS' and finished_at > now() - interval '1 day'
order by took desc limit 100`,
  "Users with the most unfinished jobs": `select email, pending, user_id,
  pg_size_pretty(stored_bytes) as stored, pg_size_pretty(recorded_bytes) as recorded
from user_streams join users on users.id = user_id order by pending desc, email limit 100`,
  "Users with the most bytes": `select email, pg_size_pretty(stored_bytes) as stored, user_id
from user_streams join users on users.id = user_id order by stored_bytes desc, email limit 100`,
  "Events per minute": `select date_trunc('minute', at) as minute, type, count(*)
from queued_job_events where at > now() - interval '1 hour'
group by 1, 2 order by 1 desc, 2`,
  "Lost attempts": `select id, job_name, user_id, stalls, attempts, status, worker, updated_at
from queued_jobs where stalls > 0 order by updated_at desc limit 100`,
};

/** The form for a query. A link fills it and never runs the query. */
export function renderEditor(text: string): Html {
  return html`<form method="post" action="${PATH}">
    <label class="whole" for="sql">Read-only SQL (one statement)
      <textarea id="sql" name="sql" spellcheck="false" autocomplete="off">\n${text}</textarea>
    </label>
    <button name="format" value="table">Run</button>
    <button class="second" name="format" value="csv">Download as CSV</button>
    <span class="mute">Ctrl-Enter runs it.</span>
  </form>
  <script src="${EDITOR_SCRIPT_PATH}" defer></script>`;
}

/** A link that opens the editor with this query. */
export function linkTo(text: string, label: string): Html | null {
  if (text.trim() === "" || text.length > MAX_LINKED) return null;
  // A form sends two characters for the end of a line.
  const sql = text.replaceAll("\r\n", "\n");
  return html`<a href="${PATH}?${query({ sql })}" rel="bookmark">${label}</a>`;
}

export function listSavedQueries(): Html {
  const items = Object.entries(SAVED_QUERIES).map(
    ([title, sql]) => html`<li><a href="${PATH}?${query({ sql })}">${title}</a></li>`,
  );
  return html`<ul class="columns">${items}</ul>`;
}

function query(values: { sql: string }): string {
  return new URLSearchParams(values).toString();
}
