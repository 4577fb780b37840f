// Requests of operators that change something: POST only, and only with ADMIN_ACTIONS=true.
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Operator } from "../../services/operators/note-action.js";
import { html, type Html } from "./page.js";

declare module "fastify" {
  interface FastifyContextConfig {
    isAction?: boolean;
  }
}

/** Options of a route that changes something. */
export const ACTION = { config: { isAction: true } };

export const READ_ONLY_NOTE = html`<p class="mute">
  Read-only. Set <code>ADMIN_ACTIONS=true</code> to enable actions.
</p>`;

/** Answers 405 for all actions of this scope, unless they are enabled. */
export function refuseActions(scope: FastifyInstance, enabled: boolean): void {
  scope.addHook("onRequest", async (request, reply) => {
    if (enabled || request.routeOptions.config.isAction !== true) return;
    return reply.code(405).header("allow", "GET, HEAD").send({
      code: "FORBIDDEN",
      message: "These pages are read-only: set ADMIN_ACTIONS=true to enable actions.",
    });
  });
}

/** Returns a field of the form, without surrounding blanks; empty if it is missing. */
export function fieldOf({ body }: FastifyRequest, name: string): string {
  return body instanceof URLSearchParams ? (body.get(name) ?? "").trim() : "";
}

/** All operators share one user and password. */
export function operatorOf({ id }: FastifyRequest): Operator {
  return { actor: "admin", requestId: id };
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
