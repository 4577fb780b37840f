// Pages on which operators act on all QueuedJobs that match a search: first a page that asks for
// confirmation, then the progress of the operation.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Database } from "../../db/database.js";
import type { Logger } from "../../runtime/logger.js";
import type { Carrier } from "../../services/operators/carry-out.js";
import type { Operations } from "../../services/operators/operations.js";
import { BULK_ACTIONS, type BulkAction } from "../../services/queued-jobs/bulk/operator-batch.js";
import type { JobFilter } from "../../services/reads/operator-search.js";
import { ACTION, operatorOf } from "./actions.js";
import {
  conditionsOf,
  faultOf,
  readJobSearch,
  textOf,
  toJobFilter,
  type JobSearch,
} from "./job-search.js";
import { html, readRefresh, sendPage } from "./page.js";
import {
  OPERATIONS_PATH,
  renderConfirmation,
  renderOperation,
  renderOperations,
} from "./render-operations.js";

const PAGE_ROWS = 50;
/** Interval at which the page of a new operation reloads. */
const REFRESH_SECONDS = 2;

export interface OperationPagesOptions {
  database: Database;
  operations: Operations;
  carrier: Pick<Carrier, "advance">;
  actions: boolean;
  log: Logger;
}

type Query = { Querystring: Record<string, unknown> };
type Named = { Params: { id: string } };

export function registerOperationPages(
  scope: FastifyInstance,
  options: OperationPagesOptions,
): void {
  const { operations, actions } = options;
  scope.get<Query>(OPERATIONS_PATH, async ({ query }, reply) => {
    const before = textOf(query["before"]);
    const found = await operations.page({ beforeId: before || null, first: PAGE_ROWS + 1 });
    const next = found.length > PAGE_ROWS ? (found[PAGE_ROWS - 1]?.id ?? null) : null;
    return sendPage(reply, {
      title: "Operations",
      place: "Operations",
      content: renderOperations(found.slice(0, PAGE_ROWS), { before, next, actions }),
      refreshSeconds: readRefresh(query["refresh"]),
    });
  });
  scope.get<Query>(`${OPERATIONS_PATH}/new`, ({ query }, reply) =>
    askForConfirmation(reply, query, options),
  );
  scope.post<{ Body: URLSearchParams }>(OPERATIONS_PATH, ACTION, (request, reply) =>
    startOperation(request, reply, options),
  );
  scope.get<Query & Named>(`${OPERATIONS_PATH}/:id`, async ({ params, query }, reply) => {
    const operation = await operations.find(params.id);
    if (!operation) return sendNotFound(reply, params.id);
    const runs = operation.state === "RUNNING";
    const refreshSeconds = runs ? readRefresh(query["refresh"]) : undefined;
    return sendPage(reply, {
      title: "Operation",
      place: "Operations",
      content: renderOperation(operation, { actions, refreshSeconds }),
      refreshSeconds,
    });
  });
  scope.post<Named>(`${OPERATIONS_PATH}/:id/stop`, ACTION, async (request, reply) => {
    const { id } = request.params;
    await operations.stop(id, operatorOf(request));
    return reply.redirect(`${OPERATIONS_PATH}/${id}`, 303);
  });
}

function sendNotFound(reply: FastifyReply, id: string): FastifyReply {
  return sendPage(reply.code(404), {
    title: "Not found",
    place: "Operations",
    content: html`<p>No operation has the id <code>${id}</code>.
      <a href="${OPERATIONS_PATH}">All operations</a></p>`,
  });
}

interface Wish {
  action: BulkAction;
  search: JobSearch;
  filter: JobFilter;
}

/** Reads an action and a search; returns a sentence for a wish that cannot be carried out. */
async function readWish(
  fields: Record<string, unknown>,
  { database }: Pick<OperationPagesOptions, "database">,
): Promise<Wish | string> {
  const action = BULK_ACTIONS.find((name) => name === fields["action"]);
  if (!action) return `Not a valid action: the actions are ${BULK_ACTIONS.join(", ")}.`;
  const search = readJobSearch(fields);
  if (conditionsOf(search).length === 0)
    return "An operation needs at least one condition: search first.";
  const fault = faultOf(search);
  if (fault !== null) return fault;
  const filter = await toJobFilter(database, search);
  return filter ? { action, search, filter } : "No user has this id or e-mail address.";
}

function refuse(reply: FastifyReply, sentence: string): FastifyReply {
  return sendPage(reply.code(400), {
    title: "Request failed",
    place: "Operations",
    content: html`<p class="refused" role="alert">${sentence}</p>
      <p><a href="/admin/jobs">Search jobs</a></p>`,
  });
}

async function askForConfirmation(
  reply: FastifyReply,
  query: Record<string, unknown>,
  options: OperationPagesOptions,
): Promise<FastifyReply> {
  const wish = await readWish(query, options);
  if (typeof wish === "string") return refuse(reply, wish);
  const matched = await options.operations.count(wish.action, wish.filter);
  return sendPage(reply, {
    title: "Confirm the operation",
    place: "Operations",
    content: renderConfirmation({ ...wish, matched, actions: options.actions }),
  });
}

async function startOperation(
  request: FastifyRequest<{ Body: URLSearchParams }>,
  reply: FastifyReply,
  options: OperationPagesOptions,
): Promise<FastifyReply> {
  const { operations, carrier, log } = options;
  const wish = await readWish(Object.fromEntries(request.body ?? []), options);
  if (typeof wish === "string") return refuse(reply, wish);
  const { action, filter } = wish;
  const matched = filter.id === null ? await operations.count(action, filter) : 1;
  const operator = operatorOf(request);
  const id = await operations.start({ action, filter, matched, operator });
  log.info({ requestId: request.id, operation: id, action, matched }, "an operator acted");
  if (filter.id === null)
    return reply.redirect(`${OPERATIONS_PATH}/${id}?refresh=${REFRESH_SECONDS}`, 303);
  // A single row needs no worker. If this fails, a worker does it.
  await carrier
    .advance({ id, action })
    .catch((error: unknown) => log.warn({ err: error, operation: id }, "an operation waits"));
  return reply.redirect(`/admin/jobs/${filter.id}?operation=${id}`, 303);
}
