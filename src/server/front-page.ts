import type { FastifyInstance } from "fastify";

const HEADERS = {
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** `GET /`: what this is, and where its doors are. */
export function registerFrontPage(app: FastifyInstance, version: string): void {
  const page = render(version);
  app.get("/", (_request, reply) => reply.headers(HEADERS).type("text/html; charset=utf-8").send(page));
}

function render(version: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Photo Service</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem } code { background: #8883; padding: .1em .3em; border-radius: .2em }</style>
<h1>Photo Service ${version}</h1>
<p>Upload photos, submit jobs on them, and watch every step arrive.</p>
<ul>
<li><code>POST /photos</code> takes a photo, <code>POST /graphql</code> a query or a mutation; subscriptions go to the same path over a WebSocket.</li>
<li>Every request carries a token: <code>Authorization: Bearer …</code></li>
<li><a href="/health/ready">Is it well?</a></li>
</ul>
</html>
`;
}
