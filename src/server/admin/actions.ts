import type { FastifyReply, FastifyRequest } from "fastify";
import type { Operator } from "../../services/operators/operator-actions.js";
import { ADMIN_USER } from "../access/admin-guard.js";
import { html, sendPage } from "./page.js";

export const ACTIONS_OFF = "These pages only show: set ADMIN_ACTIONS=true to enable actions.";

/** Returns a hook that refuses every request unless ADMIN_ACTIONS is true. */
export function requireActions(actions: boolean) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    if (actions) return;
    return sendPage(reply.code(405).header("allow", "GET, HEAD"), {
      title: "Not allowed",
      place: "Jobs",
      content: html`<p class="refused" role="alert">${ACTIONS_OFF}</p>`,
    });
  };
}

/** The operator as the audit shows it: the user of the password, and the client's address. */
export function operatorOf({ id, ip }: FastifyRequest): Operator {
  return { actor: `${ADMIN_USER} (${ip})`, requestId: id };
}
