import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "../../runtime/logger.js";
import { createBoardQueues } from "../../queue/board-queues.js";
import { createBareApp } from "../http/app.js";

const PATH = "/admin/queues";

/**
 * A font from another host. It is removed, since the request would reveal the operator's visit to
 * that host.
 */
const OUTSIDE_FONT = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "object-src 'none'; frame-ancestors 'none'; form-action 'self'; base-uri 'self'";

export interface QueueBoardOptions {
  redisUrl: string;
  prefix: string;
  actions: boolean;
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
      // Do not rely on the board's own read-only mode.
      if (!options.actions && request.method !== "GET" && request.method !== "HEAD")
        return reply.code(405).send({
          code: "FORBIDDEN",
          message: "The dashboard is read-only: set ADMIN_ACTIONS=true to enable actions.",
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
        miscLinks: [
          { text: "Jobs", url: "/admin/jobs" },
          { text: "Workers", url: "/admin/workers" },
          { text: "Pauses", url: "/admin/pauses" },
          { text: "Database", url: "/admin/db" },
        ],
      },
    },
  });
  const app = createBareApp(options.log, {});
  app.addHook("onSend", async (_request, _reply, payload) =>
    typeof payload === "string" ? payload.replace(OUTSIDE_FONT, "") : payload,
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
