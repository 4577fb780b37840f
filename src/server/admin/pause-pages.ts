import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { InvalidInputError, NotFoundError } from "../../domain/errors.js";
import type { Jobs } from "../../services/jobs/jobs.js";
import {
  MAX_REASON_LENGTH,
  type Pause,
  type PauseKind,
  type Pauses,
} from "../../services/operators/pauses.js";
import { ACTION, actionButton, SHOWS_ONLY, fieldOf, operatorOf } from "./actions.js";
import { html, sendPage, timeSince, wideTable, type Html } from "./page.js";

export interface PausePagesDeps {
  jobs: Pick<Jobs, "list">;
  pauses: Pick<Pauses, "list" | "pause" | "resume">;
  /** True if operators may act. */
  actions: boolean;
}

const PATH = "/admin/pauses";

const ABOUT =
  "Waiting jobs of a paused Job or user do not start. Running ones finish, submissions are " +
  "accepted and wait, and both can be cancelled. After a resume they start within seconds.";

/** The page of what is paused, with the forms to pause and to resume. */
export function registerPausePages(scope: FastifyInstance, deps: PausePagesDeps): void {
  const { pauses } = deps;
  scope.get(PATH, (_request, reply) => send(reply, deps, null));

  const pause = (kind: PauseKind, field: string) =>
    scope.post(`${PATH}/${field}`, ACTION, async (request, reply) => {
      const subject = fieldOf(request, field);
      const reason = fieldOf(request, "reason");
      try {
        await pauses.pause({ kind, subject, reason }, operatorOf(request));
      } catch (error) {
        const isRefusal = error instanceof InvalidInputError || error instanceof NotFoundError;
        if (!isRefusal) throw error;
        return send(reply.code(error instanceof NotFoundError ? 404 : 400), deps, error.message);
      }
      return reply.redirect(PATH, 303);
    });
  pause("JOB", "job");
  pause("USER", "user");

  // Resuming what was resumed already is not an error: another operator was first.
  scope.post(`${PATH}/resume`, ACTION, async (request, reply) => {
    const kind = kindOf(request);
    if (kind === null) return send(reply.code(400), deps, "The form has no kind of pause.");
    await pauses.resume({ kind, subject: fieldOf(request, "subject") }, operatorOf(request));
    return reply.redirect(PATH, 303);
  });
}

function kindOf(request: FastifyRequest): PauseKind | null {
  const kind = fieldOf(request, "kind");
  return kind === "JOB" || kind === "USER" ? kind : null;
}

async function send(
  reply: FastifyReply,
  { pauses, jobs, actions }: PausePagesDeps,
  refusal: string | null,
): Promise<FastifyReply> {
  const [list, catalogue] = await Promise.all([pauses.list(), jobs.list()]);
  const table =
    list.length === 0
      ? html`<p>Nothing is paused.</p>`
      : wideTable(
          head(actions),
          list.map((pause) => line(pause, actions)),
        );
  return sendPage(reply, {
    title: "Pauses",
    place: "Pauses",
    content: html`${refusal !== null && html`<p class="refused" role="alert">${refusal}</p>`}
      ${table}
      ${actions ? forms(catalogue.map(({ name }) => name)) : SHOWS_ONLY}
      <p class="mute">${ABOUT}</p>`,
  });
}

function head(actions: boolean): Html {
  return html`<th>paused</th>
    ${actions && html`<th>order</th>`}
    <th class="number">since</th>
    <th>reason</th>
    <th>by</th>`;
}

function line({ kind, subject, email, at, reason, actor }: Pause, actions: boolean): Html {
  const name = email ?? subject;
  const jobs = kind === "JOB" ? `job=${encodeURIComponent(subject)}` : `user=${subject}`;
  const button = actionButton(`${PATH}/resume`, {
    text: "Resume",
    label: `Resume ${name}`,
    fields: { kind, subject },
  });
  return html`<tr>
    <th scope="row">${kind === "JOB" ? "Job" : "user"}
      <a href="/admin/jobs?${jobs}">${name}</a></th>
    ${actions && html`<td>${button}</td>`}
    <td class="number">${timeSince(at)}</td>
    <td>${reason}</td>
    <td>${actor}</td>
  </tr>`;
}

function forms(jobNames: string[]): Html {
  const reason = html`<label>Reason
    <input name="reason" maxlength="${MAX_REASON_LENGTH}" autocomplete="off"></label>`;
  const options = jobNames.map((name) => html`<option value="${name}">${name}</option>`);
  return html`<h2>Pause a Job</h2>
    <form method="post" action="${PATH}/job">
      <label>Job <select name="job" required>${options}</select></label>
      ${reason}
      <button>Pause this Job</button>
    </form>
    <h2>Pause a user</h2>
    <form method="post" action="${PATH}/user">
      <label>User: e-mail or id <input name="user" required autocomplete="off"></label>
      ${reason}
      <button>Pause this user</button>
    </form>`;
}
