import type { FastifyReply, FastifyRequest } from "fastify";
import { isOwnMachine, pageOptions } from "./page-options.js";

const SANDBOX_ORIGINS = {
  script: "https://embeddable-sandbox.cdn.apollographql.com",
  frame: "https://sandbox.embed.apollographql.com",
};

const HEADERS = {
  // Styles: those of the page below. The script fetches for the frame, so that the frame's origin
  // needs no right to call us.
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
 * Answers a browser that opens `/graphql`, and nobody else: Apollo Sandbox, set up for this
 * endpoint, or the explorer where the outside cannot be reached.
 */
export function createSandboxPage(
  signIn: (() => Promise<string>) | null,
): (request: FastifyRequest, reply: FastifyReply) => Promise<string> | null {
  return (request, reply) => {
    if (!isBrowserAtTheDoor(request)) return null;
    reply.headers(HEADERS).type("text/html; charset=utf-8");
    return render(isOwnMachine(request.raw) ? signIn : null);
  };
}

/** One with a query in its address is answered it. */
function isBrowserAtTheDoor({ method, headers, query }: FastifyRequest): boolean {
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

/** For the script, which is small, to come. */
const SCRIPT_MS = 3000;
/** For the frame to say its first word once it was put there. */
const FRAME_MS = 10_000;

/**
 * Run by the page at `GET /graphql`: Apollo Sandbox, or the explorer that needs nothing from
 * outside.
 */
export const SANDBOX_SCRIPT = `const options = document.getElementById("options").textContent;
const { authorization, operations } = JSON.parse(options);
const endpoint = new URL("graphql", location.href);
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol.replace("http", "ws");
const giveWay = () => location.replace(new URL("explorer/", location.href));
let late = setTimeout(giveWay, ${SCRIPT_MS});
addEventListener("message", ({ origin }) => {
  if (origin === "${SANDBOX_ORIGINS.frame}") clearTimeout(late);
});

function show() {
  clearTimeout(late);
  late = setTimeout(giveWay, ${FRAME_MS});
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
script.onerror = giveWay;
script.src = "${SANDBOX_ORIGINS.script}/_latest/embeddable-sandbox.umd.production.min.js";
document.head.append(script);
`;
