import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { InvalidInputError, NotFoundError } from "../../../domain/errors.js";
import type { EventLog } from "../../../events/event-log.js";
import type { Operator } from "../../../services/operators/operator-actions.js";
import type { WebhookOrders } from "../../../services/operators/webhook-orders.js";
import { ACTION, fieldOf, operatorOf } from "../actions.js";
import { sendPage } from "../page.js";
import { renderWebhooks } from "./render-webhooks.js";

export interface WebhookPagesDeps {
  webhooks: Pick<WebhookOrders, "read" | "pause" | "resume" | "redeliver">;
  /** Origin of the receiver's address; null if none is configured. */
  webhookOrigin: string | null;
  eventLog: Pick<EventLog, "heads">;
  /** True if operators may act. */
  actions: boolean;
}

const PATH = "/admin/webhooks";

/** The page of the deliveries: how far they are behind, what failed, and the orders. */
export function registerWebhookPages(scope: FastifyInstance, deps: WebhookPagesDeps): void {
  const { webhooks, eventLog } = deps;
  scope.get(PATH, (_request, reply) => send(reply, deps, null));

  const order = (
    path: string,
    carryOut: (request: FastifyRequest, by: Operator) => Promise<boolean>,
  ) =>
    scope.post(`${PATH}/${path}`, ACTION, async (request, reply) => {
      try {
        // An order with nothing to change is not an error: another operator was first.
        await carryOut(request, operatorOf(request));
      } catch (error) {
        const isRefusal = error instanceof InvalidInputError || error instanceof NotFoundError;
        if (!isRefusal) throw error;
        return send(reply.code(error instanceof NotFoundError ? 404 : 400), deps, error.message);
      }
      return reply.redirect(PATH, 303);
    });
  order("pause", (request, by) => webhooks.pause({ user: fieldOf(request, "user") }, by));
  order("resume", (request, by) => webhooks.resume({ user: fieldOf(request, "user") }, by));
  order("redeliver", async (request, by) => {
    const { epoch } = await eventLog.heads([]);
    const [user, cursor] = [fieldOf(request, "user"), fieldOf(request, "cursor")];
    return webhooks.redeliver({ user, cursor, epoch }, by);
  });
}

async function send(
  reply: FastifyReply,
  { webhooks, webhookOrigin, actions }: WebhookPagesDeps,
  refusal: string | null,
): Promise<FastifyReply> {
  const state = await webhooks.read();
  return sendPage(reply, {
    title: "Webhooks",
    place: "Webhooks",
    content: renderWebhooks(state, { origin: webhookOrigin, actions, refusal, path: PATH }),
  });
}
