import type { FastifyReply } from "fastify";

const MARKUP = Symbol("markup");

/**
 * Markup that is safe to send. Only `html` can create it, so that external text is always escaped.
 */
export interface Html {
  readonly [MARKUP]: string;
}

type Value = Html | string | number | null | undefined | false | readonly Value[];

/**
 * A template tag that escapes all values except markup from `html`. Lists are joined; null,
 * undefined and false become empty. Attribute values must be in double quotes.
 */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return { [MARKUP]: parts.reduce((text, part, i) => text + markupOf(values[i - 1]) + part) };
}

export function render(page: Html): string {
  return page[MARKUP];
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function markupOf(value: Value): string {
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "string" || typeof value === "number")
    return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
  return MARKUP in value ? value[MARKUP] : value.map(markupOf).join("");
}

/** A table in a scrolling box. `head` contains the header cells. */
export function wideTable(head: Html | null, lines: readonly Html[]): Html {
  return html`<div class="wide" tabindex="0"><table>
    ${head && html`<thead><tr>${head}</tr></thead>`}
    <tbody>${lines}</tbody>
  </table></div>`;
}

export function numberCell(value: Value): Html {
  return html`<td class="number">${value}</td>`;
}

/** Formats a duration: `0.214 s`, `12.3 s`, `5 min`, `3 h`; empty for null. */
export function inSeconds(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "";
  if (seconds >= 2 * 3600) return `${Math.round(seconds / 3600)} h`;
  if (seconds >= 120) return `${Math.round(seconds / 60)} min`;
  return `${seconds.toFixed(seconds >= 10 ? 1 : 3)} s`;
}

const DAY_MS = 24 * 3600 * 1000;

/** A time in UTC without what a reader knows: the date of the last day, and milliseconds. */
export function shortTime(instant: string | null, now = Date.now()): Html | null {
  if (instant === null) return null;
  const isRecent = now - Date.parse(instant) < DAY_MS;
  const text = isRecent ? instant.slice(11, 19) : instant.slice(0, 16).replace("T", " ");
  return html`<time datetime="${instant}" title="${instant}">${text}</time>`;
}

/** The time since an instant, with the instant itself as its title. */
export function timeSince(instant: string): Html {
  const seconds = Math.max(0, (Date.now() - Date.parse(instant)) / 1000);
  const text = seconds < 120 ? `${Math.round(seconds)} s` : inSeconds(seconds);
  return html`<time datetime="${instant}" title="${instant}">${text}</time>`;
}

/** A list of names and values. */
export function factList(facts: readonly (readonly [name: string, value: Value])[]): Html {
  return html`<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`;
}

const PLACES = {
  Jobs: "/admin/jobs",
  Operations: "/admin/operations",
  Workers: "/admin/workers",
  Pauses: "/admin/pauses",
  Webhooks: "/admin/webhooks",
  Audit: "/admin/audit",
  Queues: "/admin/queues",
  Database: "/admin/db",
} as const;

/** The links of the navigation that lead to the pages of this service. */
export const PAGE_LINKS = Object.entries(PLACES).filter(([name]) => name !== "Queues");

interface Page {
  title: string;
  place: keyof typeof PLACES;
  content: Html;
  /** The browser reloads the page after this time, which only an operator's choice sets. */
  refreshSeconds?: number | undefined;
}

const MAX_REFRESH_SECONDS = 3600;

/** Returns the seconds of a query parameter `refresh`; undefined if it is not a valid number. */
export function readRefresh(value: unknown): number | undefined {
  const seconds = typeof value === "string" && /^\d{1,4}$/.test(value) ? Number(value) : 0;
  return seconds >= 1 && seconds <= MAX_REFRESH_SECONDS ? seconds : undefined;
}

/** Sends an admin page. */
export function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  if (page.refreshSeconds !== undefined) reply.header("refresh", String(page.refreshSeconds));
  const links = Object.entries(PLACES).map(([name, path]) =>
    name === page.place
      ? html`<a href="${path}" aria-current="page">${name}</a>`
      : html`<a href="${path}">${name}</a>`,
  );
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${page.title} · Photo Service</title>
<link rel="stylesheet" href="/admin/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><strong>Photo Service</strong><nav>${links.map((link) => html`${link} `)}</nav></header>
<main>
<h1>${page.title}</h1>
${page.content}
</main>
</body>
</html>
`;
  return reply.type("text/html; charset=utf-8").send(render(whole));
}
