import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type * as Altair from "altair-static";
import type { FastifyInstance } from "fastify";
import { isOwnMachine, pageOptions } from "./page-options.js";

/**
 * The policy that Altair requires. Its editor and components insert styles by script, its parsers
 * are blobs and workers, and pre-request scripts run in a separate frame. All scripts are local
 * files, and nothing is fetched from other hosts.
 */
const PAGE_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src " +
  "'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src " +
  "'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'none'; object-src 'none'";
const COMMON = { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };
const MINUTES = 60;

/**
 * Runs in the page at `/explorer/` after Altair has loaded. It stores nothing between visits, since
 * a stored tab would contain an old token.
 */
const EXPLORER_SCRIPT = `const options = document.getElementById("options").textContent;
const { authorization, operations } = JSON.parse(options);
const endpoint = new URL("../graphql", location.href);
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol.replace("http", "ws");
const common = {
  endpointURL: endpoint.href,
  subscriptionsEndpoint: socket.href,
  subscriptionsProtocol: "graphql-ws",
  initialSubscriptionRequestHandlerId: "graphql-ws",
  initialHeaders: authorization ? { authorization } : {},
  initialSubscriptionsPayload: authorization ? { authorization } : {},
};
const settings = {
  theme: "system",
  "theme.dark": "dracula",
  "schema.reloadOnStart": true,
  "banners.disable": true,
  "alert.disableUpdateNotification": true,
  disablePushNotification: true,
};
AltairGraphQL.init({
  ...common,
  initialWindows: operations.map(({ title, document, variables }) => ({
    ...common,
    initialName: title,
    initialQuery: document,
    initialVariables: JSON.stringify(variables ?? {}, null, 2),
  })),
  initialSettings: settings,
  persistedSettings: settings,
  preserveState: false,
  disableAccount: true,
});
`;

/**
 * Registers `GET /explorer/`, which serves Altair from local files. `signIn` creates a development
 * token; it is null when those are disabled.
 */
export async function registerExplorer(
  app: FastifyInstance,
  signIn: (() => Promise<string>) | null,
): Promise<void> {
  // Loaded on the first request: it has seven megabytes of files and a validator.
  let altair: typeof Altair | undefined;
  const loaded = (): typeof Altair => {
    if (!altair) throw new Error("The explorer is not loaded.");
    return altair;
  };

  await app.register(async (scope) => {
    scope.addHook("onRequest", async () => void (altair ??= await import("altair-static")));
    scope.get("/explorer", (_request, reply) => reply.redirect("explorer/", 302));
    scope.get("/explorer/", async (request, reply) => {
      const page = loaded()
        .renderAltair({ baseURL: "./", serveInitialOptionsInSeperateRequest: "start.js" })
        .replace("<title>Altair", "<title>Photo Service: explorer");
      const options = pageOptions(signIn && isOwnMachine(request.raw) ? await signIn() : null);
      reply
        .headers({ ...COMMON, "content-security-policy": PAGE_POLICY, "cache-control": "no-store" })
        .type("text/html; charset=utf-8");
      return page.replace("</head>", () => `${options}</head>`);
    });
    scope.get("/explorer/start.js", (_request, reply) =>
      reply
        .headers({ ...COMMON, "cache-control": "no-cache" })
        .type("text/javascript; charset=utf-8")
        .send(EXPLORER_SCRIPT),
    );
    await scope.register(fastifyStatic, {
      root: fileURLToPath(new URL("dist", import.meta.resolve("altair-static"))),
      prefix: "/explorer/",
      decorateReply: false,
      index: false,
      maxAge: 10 * MINUTES * 1000,
      setHeaders(reply, path) {
        reply.headers(COMMON);
        if (loaded().isSandboxFrame(path))
          reply.header("content-security-policy", loaded().SANDBOX_FRAME_CSP);
      },
    });
  });
}
