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

/** The time since an instant, with the instant itself as its title. */
export function timeSince(instant: string): Html {
  const seconds = Math.max(0, (Date.now() - Date.parse(instant)) / 1000);
  const text = seconds < 120 ? `${Math.round(seconds)} s` : inSeconds(seconds);
  return html`<time datetime="${instant}" title="${instant}">${text}</time>`;
}

const PLACES = {
  Queues: "/admin/queues",
  Jobs: "/admin/jobs",
  Workers: "/admin/workers",
  Pauses: "/admin/pauses",
  Database: "/admin/db",
} as const;

/** Sends an admin page. */
export function sendPage(
  reply: FastifyReply,
  page: { title: string; place: keyof typeof PLACES; content: Html },
): FastifyReply {
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
