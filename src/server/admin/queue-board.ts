import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import type { FastifyInstance } from "fastify";
import type { Logger } from "../../logger.js";
import { createBoardQueues } from "../../queue/board-queues.js";

const PATH = "/admin/queues";

/** Its own scripts and styles, and nothing from elsewhere. */
/** A font, which it does without: no browser of an operator's is to tell another host that it is here. */
const OUTSIDE_FONT = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; form-action 'self'; base-uri 'self'";

/** Bull Board. Finished work is not there: a hint goes with its end, and the row is what stays. */
export async function registerQueueBoard(scope: FastifyInstance, options: { redisUrl: string; prefix: string; actions: boolean; log: Logger }): Promise<void> {
  const serverAdapter = new FastifyAdapter().setBasePath(PATH);
  const board = createBullBoard({
    queues: [],
    serverAdapter,
    options: {
      uiConfig: { boardTitle: "Photo Service", hideDocsLink: true, hideRedisDetails: true, miscLinks: [{ text: "Jobs", url: "/admin/jobs" }, { text: "Database", url: "/admin/db" }] },
    },
  });
  const queues = createBoardQueues({ ...options, onQueue: (queue) => board.addQueue(new BullMQAdapter(queue, { readOnlyMode: !options.actions, allowRetries: options.actions })) });
  scope.addHook("onClose", () => queues.close());
  await scope.register(async (own) => {
    own.addHook("onRequest", async (request, reply) => {
      reply.header("content-security-policy", POLICY);
      // Whatever the board itself thinks of it.
      if (!options.actions && request.method !== "GET" && request.method !== "HEAD") return reply.code(405).send({ code: "FORBIDDEN", message: "The dashboard only shows: ADMIN_ACTIONS=true lets it act." });
    });
    own.addHook("onSend", async (_request, _reply, payload) => (typeof payload === "string" ? payload.replace(OUTSIDE_FONT, "") : payload));
    await own.register(serverAdapter.registerPlugin(), { prefix: PATH });
  });
}
