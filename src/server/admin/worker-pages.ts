import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type {
  RegisteredWorker,
  WorkerAttempt,
  WorkerRegister,
} from "../../services/operators/worker-register.js";
import { ACTION, actionButton, SHOWS_ONLY, fieldOf, operatorOf } from "./actions.js";
import { html, numberCell, sendPage, timeSince, wideTable, type Html } from "./page.js";

export interface WorkerPagesDeps {
  workers: Pick<WorkerRegister, "list" | "order">;
  /** True for a Job whose task runs in a child process. */
  isChildJob(name: string): boolean;
  /** True if operators may act. */
  actions: boolean;
}

const PATH = "/admin/workers";
/** Attempts of a worker that are shown without opening the list. */
const OPEN_ATTEMPTS = 5;
const LISTED_ATTEMPTS = 200;

const ABOUT =
  "A worker without a heartbeat for 20 seconds is lost; its jobs are taken over within a minute. " +
  "A draining worker finishes what it runs and takes nothing more, until it is restarted or " +
  "takes work again. Rows are kept for a day after the last heartbeat.";

/** The page of the worker processes: what each runs, and the orders to drain. */
export function registerWorkerPages(scope: FastifyInstance, deps: WorkerPagesDeps): void {
  const { workers, actions } = deps;
  scope.get(PATH, async (_request, reply) => {
    const list = await workers.list();
    const table =
      list.length === 0
        ? html`<p>No worker has reported within the last day.</p>`
        : wideTable(
            head(actions),
            list.map((worker) => line(worker, deps)),
          );
    return sendPage(reply, {
      title: "Workers",
      place: "Workers",
      content: html`${table}
        <p class="mute">${ABOUT}</p>
        ${!actions && SHOWS_ONLY}`,
    });
  });

  const order = (drain: boolean) => async (request: FastifyRequest, reply: FastifyReply) => {
    const name = fieldOf(request, "name");
    if (await workers.order(name, drain, operatorOf(request))) return reply.redirect(PATH, 303);
    return sendPage(reply.code(404), {
      title: "Not found",
      place: "Workers",
      content: html`<p class="refused" role="alert">No worker has the name <code>${name}</code>.
        <a href="${PATH}">Workers</a></p>`,
    });
  };
  scope.post(`${PATH}/drain`, ACTION, order(true));
  scope.post(`${PATH}/undrain`, ACTION, order(false));
}

function head(actions: boolean): Html {
  return html`<th>host</th>
    <th class="number">pid</th>
    <th>state</th>
    <th class="number">since</th>
    ${actions && html`<th>order</th>`}
    <th class="number">tasks<small>of its slots</small></th>
    <th class="number">photos<small>of its slots</small></th>
    <th>runs<small>since</small></th>
    <th class="number">memory</th>
    <th class="number">last heartbeat</th>
    <th>version</th>
    <th>name</th>`;
}

function line(worker: RegisteredWorker, { actions, isChildJob }: WorkerPagesDeps): Html {
  const { name, host, state, attempts } = worker;
  const own = attempts.filter(({ isOwn }) => isOwn);
  const inChild = own.filter(({ jobName }) => isChildJob(jobName)).length;
  const ordered = worker.drain && state === "running" && html` <small>is to drain</small>`;
  return html`<tr>
    <th scope="row">${host}</th>
    ${numberCell(worker.pid)}
    <td><span class="status ${state}">${state}</span>${ordered}</td>
    ${numberCell(timeSince(worker.stateSince))}
    ${actions && html`<td>${orderButton(worker)}</td>`}
    ${numberCell(`${own.length - inChild} / ${worker.tasks}`)}
    ${numberCell(`${inChild} / ${worker.children}`)}
    <td>${attemptList(attempts)}</td>
    ${numberCell(`${Math.round(worker.rssBytes / 1e6)} MB`)}
    ${numberCell(timeSince(worker.heartbeatAt))}
    <td class="short">${worker.version}${revisionOf(worker)}</td>
    <td class="id">${name}</td>
  </tr>`;
}

function revisionOf({ revision }: RegisteredWorker): Html | false {
  return revision !== null && html` <small class="mute">${revision.slice(0, 12)}</small>`;
}

/** The order that makes sense for this worker; none for one that has ended. */
function orderButton({ name, host, pid, state, drain }: RegisteredWorker): Html | false {
  if (state === "stopped" || state === "lost") return false;
  const [order, text] = drain ? ["undrain", "Take work again"] : ["drain", "Drain"];
  const label = `${text}: ${host}, pid ${pid}`;
  return actionButton(`${PATH}/${order}`, { text, label, fields: { name } });
}

function attemptList(attempts: WorkerAttempt[]): Html | false {
  if (attempts.length === 0) return false;
  const items = attempts.slice(0, LISTED_ATTEMPTS).map(attemptItem);
  const more = attempts.length - LISTED_ATTEMPTS;
  const list = html`<ul>${items}${more > 0 && html`<li>and ${more} more</li>`}</ul>`;
  if (attempts.length <= OPEN_ATTEMPTS) return list;
  return html`<details><summary>${attempts.length} jobs</summary>${list}</details>`;
}

function attemptItem({ id, jobName, status, startedAt, isOwn }: WorkerAttempt): Html {
  // A job that a lost worker ran may wait, run elsewhere, or have ended.
  const state = isOwn
    ? startedAt !== null && timeSince(startedAt)
    : html`now <span class="status ${status}">${status}</span>`;
  return html`<li class="short"><a href="/admin/jobs/${id}">${jobName}
    <span class="id">…${id.slice(-6)}</span></a> ${state}</li>`;
}
