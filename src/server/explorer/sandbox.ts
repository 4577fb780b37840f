import type { FastifyReply, FastifyRequest } from "fastify";
import { isOwnMachine, pageOptions } from "./page-options.js";

const SANDBOX_ORIGINS = {
  script: "https://embeddable-sandbox.cdn.apollographql.com",
  frame: "https://sandbox.embed.apollographql.com",
};

const HEADERS = {
  // The inline styles are those of the page below. The script fetches on behalf of the frame, so
  // the frame's origin needs no access to this service.
  "content-security-policy":
    `default-src 'none'; script-src 'self' ${SANDBOX_ORIGINS.script}; frame-src ` +
    `${SANDBOX_ORIGINS.frame}; connect-src 'self'; img-src 'self' https:; style-src ` +
    "'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  vary: "accept",
};

/**
 * Answers only browsers that open `/graphql`. The page shows Apollo Sandbox for this endpoint, or
 * the explorer when Apollo's hosts cannot be reached.
 */
export function createSandboxPage(
  signIn: (() => Promise<string>) | null,
): (request: FastifyRequest, reply: FastifyReply) => Promise<string> | null {
  return (request, reply) => {
    if (!isPageRequest(request)) return null;
    reply.headers(HEADERS).type("text/html; charset=utf-8");
    return render(isOwnMachine(request.raw) ? signIn : null);
  };
}

/** False for a GET operation, which has a query in its URL. */
function isPageRequest({ method, headers, query }: FastifyRequest): boolean {
  return (
    method === "GET" &&
    (headers.accept ?? "").includes("text/html") &&
    !(query as Record<string, unknown>)["query"]
  );
}

async function render(signIn: (() => Promise<string>) | null): Promise<string> {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Photo Service: GraphQL</title>
<style>
html, body, #sandbox, iframe { height: 100%; width: 100%; margin: 0; border: 0; display: block }
p { font: 1rem/1.5 system-ui, sans-serif; padding: 1rem; margin: 0 }
</style>
<div id="sandbox"><noscript><p>This page needs scripts.</p></noscript></div>
${pageOptions(signIn && (await signIn()))}
<script src="graphql/sandbox.js" defer></script>
</html>
`;
}

/** Timeout for loading the script, which is small. */
const SCRIPT_MS = 3000;
/** Timeout for the first message from the inserted frame. */
const FRAME_MS = 10_000;

/**
 * Runs in the page at `GET /graphql`: shows Apollo Sandbox, or the explorer, which needs no other
 * host.
 */
export const SANDBOX_SCRIPT = `const options = document.getElementById("options").textContent;
const { authorization, operations } = JSON.parse(options);
const endpoint = new URL("graphql", location.href);
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol.replace("http", "ws");
const openExplorer = () => location.replace(new URL("explorer/", location.href));
let timeout = setTimeout(openExplorer, ${SCRIPT_MS});
addEventListener("message", ({ origin }) => {
  if (origin === "${SANDBOX_ORIGINS.frame}") clearTimeout(timeout);
});

function show() {
  clearTimeout(timeout);
  timeout = setTimeout(openExplorer, ${FRAME_MS});
  new EmbeddedSandbox({
    target: "#sandbox",
    initialEndpoint: endpoint.href,
    initialSubscriptionEndpoint: socket.href,
    initialState: {
      document: operations.map(({ document }) => document).join("\\n"),
      variables: Object.assign({}, ...operations.map(({ variables }) => variables)),
      headers: {},
      sharedHeaders: authorization ? { authorization } : {},
      pollForSchemaUpdates: false,
    },
    runTelemetry: false,
    allowDynamicStyles: false,
  });
}

const script = document.createElement("script");
script.onload = show;
script.onerror = openExplorer;
script.src = "${SANDBOX_ORIGINS.script}/_latest/embeddable-sandbox.umd.production.min.js";
document.head.append(script);
`;
