import type { FastifyReply } from "fastify";
import { html, render, type Html } from "./html.js";

const PLACES = { Queues: "/admin/queues", Jobs: "/admin/jobs", Database: "/admin/db" } as const;

/** Answers with a page of the operators' area. */
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
