import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "../../runtime/logger.js";
import { createBoardQueues } from "../../queue/board-queues.js";
import { createBareApp } from "../http/app.js";

const PATH = "/admin/queues";

/**
 * A font, which it does without: no browser of an operator's is to tell another host that it is
 * here.
 */
const OUTSIDE_FONT = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;
/** Its own scripts and styles, and nothing from elsewhere. */
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
 * Bull Board. Finished work is not there: a hint goes with its end, and the row is what stays. Few
 * ever look at it, so that it is loaded when it is first asked for.
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
  await scope.register(async (own) => {
    own.addHook("onRequest", async (request, reply) => {
      reply.header("content-security-policy", POLICY);
      // Whatever the board itself thinks of it.
      if (!options.actions && request.method !== "GET" && request.method !== "HEAD")
        return reply.code(405).send({
          code: "FORBIDDEN",
          message: "The dashboard only shows: ADMIN_ACTIONS=true lets it act.",
        });
    });
    // Bodies are the board's to read.
    own.removeAllContentTypeParsers();
    own.addContentTypeParser("*", (_request, _body, done) => done(null));
    const pass = async (request: FastifyRequest, reply: FastifyReply) =>
      handOver(await open(), request, reply);
    for (const url of [PATH, `${PATH}/*`]) own.all(url, pass);
  });
}

function handOver(board: FastifyInstance, request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  board.routing(request.raw, reply.raw);
}

/** A Fastify of its own, since one that listens takes no more routes. */
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
