import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "../../runtime/logger.js";
import { createBoardQueues } from "../../queue/board-queues.js";
import type { Database } from "../../db/database.js";
import { recordOperatorAction } from "../../services/operators/operator-actions.js";
import { createBareApp } from "../http/app.js";
import { operatorOf } from "./actions.js";
import { PAGE_LINKS } from "./page.js";

const PATH = "/admin/queues";

/**
 * A font from another host. It is removed, since the request would reveal the operator's visit to
 * that host.
 */
const OUTSIDE_FONT = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "object-src 'none'; frame-ancestors 'none'; form-action 'self'; base-uri 'self'";

/** The board's own links to the other pages are behind an icon, and it knows no finished job. */
const BANNER = `<nav aria-label="Photo Service" style="position:fixed;z-index:100;bottom:0;left:0;
right:0;display:flex;flex-wrap:wrap;gap:0 1rem;padding:.5rem 1rem;
font:.875rem/1.5 system-ui,sans-serif;background:#1c222a;color:#e3e8ee"><span>Only what waits or runs is here.</span>
<a href="/admin/jobs" style="color:#7db4f5">All jobs, finished ones too</a>
<a href="/admin/db" style="color:#7db4f5">Database</a></nav>`;

export interface QueueBoardOptions {
  redisUrl: string;
  prefix: string;
  actions: boolean;
  /** Stores the audit. */
  database: Database;
  log: Logger;
}

/**
 * Registers Bull Board. It does not show finished work, whose hint is removed and whose row stays.
 * It is seldom used, so it is loaded on the first request.
 */
export async function registerQueueBoard(
  scope: FastifyInstance,
  options: QueueBoardOptions,
): Promise<void> {
  let board: Promise<FastifyInstance> | undefined;
  const open = () =>
    (board ??= openBoard(options).catch((error: unknown) => {
      board = undefined;
      throw error;
    }));
  scope.addHook("onClose", async () => (await board?.catch(() => null))?.close());
  await scope.register(async (boardScope) => {
    boardScope.addHook("onRequest", async (request, reply) => {
      reply.header("content-security-policy", POLICY);
      if (request.method === "GET" || request.method === "HEAD") return;
      // Do not rely on the board's own read-only mode.
      if (!options.actions)
        return reply.code(405).send({
          code: "FORBIDDEN",
          message: "The dashboard is read-only: set ADMIN_ACTIONS=true to enable actions.",
        });
      await recordOperatorAction(options.database, {
        ...operatorOf(request),
        action: "queue dashboard",
        target: { method: request.method, path: request.url.replace(/\?.*/, "").slice(0, 500) },
        count: null,
      });
    });
    // Leave the request body unread: the board parses it.
    boardScope.removeAllContentTypeParsers();
    boardScope.addContentTypeParser("*", (_request, _body, done) => done(null));
    const pass = async (request: FastifyRequest, reply: FastifyReply) =>
      handOver(await open(), request, reply);
    for (const url of [PATH, `${PATH}/*`]) boardScope.all(url, pass);
  });
}

function handOver(board: FastifyInstance, request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  board.routing(request.raw, reply.raw);
}

/** Creates a separate Fastify, since a listening one accepts no more routes. */
async function openBoard(options: QueueBoardOptions): Promise<FastifyInstance> {
  const [{ createBullBoard }, { BullMQAdapter }, { FastifyAdapter }] = await Promise.all([
    import("@bull-board/api"),
    import("@bull-board/api/bullMQAdapter"),
    import("@bull-board/fastify"),
  ]);
  const serverAdapter = new FastifyAdapter().setBasePath(PATH);
  const board = createBullBoard({
    queues: [],
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: "Photo Service",
        hideDocsLink: true,
        hideRedisDetails: true,
        miscLinks: PAGE_LINKS.map(([text, url]) => ({ text, url })),
      },
    },
  });
  const app = createBareApp(options.log, {});
  app.addHook("onSend", async (_request, reply, payload) =>
    typeof payload === "string" && String(reply.getHeader("content-type")).startsWith("text/html")
      ? payload.replace(OUTSIDE_FONT, "").replace("</body>", `${BANNER}</body>`)
      : payload,
  );
  await app.register(serverAdapter.registerPlugin(), { prefix: PATH });
  const queues = createBoardQueues({
    ...options,
    onQueue: (queue) =>
      board.addQueue(
        new BullMQAdapter(queue, { readOnlyMode: !options.actions, allowRetries: options.actions }),
      ),
  });
  app.addHook("onClose", () => queues.close());
  await app.ready();
  return app;
}
