import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Database } from "../../db/database.js";
import type { ReadOnlyQueries } from "../../db/read-only-queries.js";
import type { RecentReads } from "../../db/replica.js";
import { RefusedQueryError } from "../../db/refused-query-error.js";
import { ConflictError, NotFoundError, ServiceUnavailableError } from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import type { FileUrls } from "../../photos/file-urls.js";
import type { Carrier } from "../../services/operators/carry-out.js";
import type { Operations } from "../../services/operators/operations.js";
import type { AdminGuard } from "../access/admin-guard.js";
import { refuseActions } from "./actions.js";
import { registerAuditPage } from "./audit-page.js";
import { registerDatabasePages } from "./database-pages.js";
import { html, sendPage } from "./page.js";
import { registerJobPages } from "./job-pages.js";
import { registerOperationPages } from "./operation-pages.js";
import { registerPausePages, type PausePagesDeps } from "./pause-pages.js";
import { registerQueueBoard } from "./queue-board.js";
import { styleSheet } from "./style-sheet.js";
import { registerWebhookPages, type WebhookPagesDeps } from "./webhooks/webhook-pages.js";
import { registerWorkerPages, type WorkerPagesDeps } from "./worker-pages.js";

export interface AdminOptions extends PausePagesDeps, WorkerPagesDeps, WebhookPagesDeps {
  database: Database;
  recent: RecentReads;
  queries: ReadOnlyQueries;
  redis: { redisUrl: string; prefix: string };
  operations: Operations;
  carrier: Pick<Carrier, "advance">;
  fileUrls: Pick<FileUrls, "urlOf">;
  /** True if operators may act: on QueuedJobs, and on queues in the dashboard. */
  actions: boolean;
  log: Logger;
}

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  // A stricter policy would remove the origin of these forms, which would then be refused.
  "referrer-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};
const MAX_FORM_BYTES = 64 * 1024;

/**
 * Registers `/admin/*` behind the guard: jobs, operations, workers, pauses, webhooks, audit, queues,
 * database.
 */
export async function registerAdmin(
  app: FastifyInstance,
  guard: AdminGuard,
  options: AdminOptions,
): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook("onRequest", async (_request, reply) => void reply.headers(HEADERS));
    await guard.protect(scope);
    refuseActions(scope, options.actions);
    scope.addHook("onRequest", refuseOtherOrigins);
    scope.addContentTypeParser(
      "application/x-www-form-urlencoded",
      { parseAs: "string", bodyLimit: MAX_FORM_BYTES },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    setErrorPage(scope);
    scope.get("/admin", (_request, reply) => reply.redirect("/admin/jobs"));
    scope.get("/admin/style.css", (_request, reply) =>
      reply.type("text/css; charset=utf-8").send(styleSheet),
    );
    registerJobPages(scope, options);
    registerOperationPages(scope, options);
    registerAuditPage(scope, options);
    registerWorkerPages(scope, options);
    registerPausePages(scope, options);
    registerWebhookPages(scope, options);
    registerDatabasePages(scope, options);
    await registerQueueBoard(scope, { ...options, ...options.redis });
  });
}

function setErrorPage(scope: FastifyInstance): void {
  scope.setErrorHandler<FastifyError>((error, request, reply) => {
    const [status, sentence] = describe(error);
    if (status === 500) request.log.error({ err: error }, "an admin page failed");
    return sendPage(reply.code(status), {
      title: "Request failed",
      place: "Jobs",
      content: html`<p class="refused" role="alert">${sentence}</p>`,
    });
  });
}

function describe(error: FastifyError): [number, string] {
  if (error instanceof ServiceUnavailableError) return [503, error.message];
  if (error instanceof ConflictError) return [409, error.message];
  if (error instanceof NotFoundError) return [404, error.message];
  if (error instanceof RefusedQueryError) return [error.later ? 503 : 400, error.message];
  const status = error.statusCode ?? 500;
  return status < 500
    ? [status, "The request is malformed or too large."]
    : [500, "Internal server error: see the log of this service."];
}

/**
 * Refuses a change that does not come from this service's own pages. A browser adds the admin
 * password to requests of any page. A request that does not state its origin is refused too.
 */
async function refuseOtherOrigins(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  if (request.method === "GET" || request.method === "HEAD" || isOwn(request)) return;
  return reply.code(403).send({
    code: "FORBIDDEN",
    message: "Changes are accepted only from this service's own pages.",
  });
}

function isOwn({ headers }: FastifyRequest): boolean {
  // Browsers omit it over plain http, except to localhost; the origin is checked then.
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const { origin, host } = headers;
  return (
    origin !== undefined && URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
  );
}
