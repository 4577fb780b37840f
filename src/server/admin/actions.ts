// Requests of operators that change something: POST only, and only with ADMIN_ACTIONS=true.
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Operator } from "../../services/operators/operator-actions.js";
import { ADMIN_USER } from "../access/admin-guard.js";
import { html, sendPage, type Html } from "./page.js";

declare module "fastify" {
  interface FastifyContextConfig {
    isAction?: boolean;
  }
}

export const ACTIONS_OFF = "These pages only show: set ADMIN_ACTIONS=true to enable actions.";

/** The note of a page that would have actions. */
export const SHOWS_ONLY = html`<p class="mute">${ACTIONS_OFF}</p>`;

/** Options of a route that changes something. */
export const ACTION = { config: { isAction: true } };

/** Answers 405 for all actions of this scope, unless they are enabled. */
export function refuseActions(scope: FastifyInstance, enabled: boolean): void {
  scope.addHook("onRequest", async (request, reply) => {
    if (enabled || request.routeOptions.config.isAction !== true) return;
    return sendPage(reply.code(405).header("allow", "GET, HEAD"), {
      title: "Not allowed",
      place: "Jobs",
      content: html`<p class="refused" role="alert">${ACTIONS_OFF}</p>`,
    });
  });
}

/** Returns a field of the form, without surrounding blanks; empty if it is missing. */
export function fieldOf({ body }: FastifyRequest, name: string): string {
  return body instanceof URLSearchParams ? (body.get(name) ?? "").trim() : "";
}

/** The operator as the audit shows it: the user of the password, and the client's address. */
export function operatorOf({ id, ip }: FastifyRequest): Operator {
  return { actor: `${ADMIN_USER} (${ip})`, requestId: id };
}

/** A form that is only a button; `label` says what it acts on. */
export function actionButton(
  path: string,
  { text, label, fields }: { text: string; label: string; fields: Record<string, string> },
): Html {
  const hidden = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="${path}">${hidden}
    <button class="second" aria-label="${label}">${text}</button></form>`;
}
