// A signed-in user and an unauthenticated address that stay within every limit, and do the worst
// that the limits allow.
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createApiClient, type Answer, type ApiClient } from "./api-client.js";
import type { Violations } from "../checks/violations.js";

export interface HostileStatistics {
  requests: number;
  /** Number of refused requests. */
  refused: number;
  upgrades: number;
  deletedAccounts: number;
}

export interface HostileOptions {
  pickUrl: () => string;
  /** Issues a token. */
  token(subject: string): Promise<string>;
  violations: Violations;
  stop: AbortSignal;
}

/** Codes with which the service may refuse hostile requests; any other code is a violation. */
const EXPECTED = new Set([
  "QUOTA_EXCEEDED",
  "GRAPHQL_VALIDATION_FAILED",
  "BAD_USER_INPUT",
  "CONFLICT",
  "NOT_FOUND",
  "UNAUTHENTICATED",
]);
const ENQUEUE = "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }";
/** Source address of idle connections, other than the address of the well-behaved users. */
const IDLE_ADDRESS = "127.0.0.2";
const IDLE_UPGRADES = 500;
const UPGRADES_PER_SECOND = 16;

interface Attack extends HostileOptions {
  api: ApiClient;
  statistics: HostileStatistics;
}

/** Runs all attacks together until `stop`; resolves when the last one has ended. */
export async function attack(options: HostileOptions): Promise<HostileStatistics> {
  const statistics: HostileStatistics = {
    requests: 0,
    refused: 0,
    upgrades: 0,
    deletedAccounts: 0,
  };
  const api = createApiClient({ pickUrl: options.pickUrl, token: await options.token("mallory") });
  const context = { ...options, api, statistics };
  await Promise.all([
    occupySlots(context),
    nestLists(context),
    fillTables(context),
    flood(context),
    deleteAccounts(context),
    openIdleSockets(context),
  ]);
  return statistics;
}

async function ask<T>(
  { statistics, violations }: Attack,
  api: ApiClient,
  query: string,
  variables: object = {},
): Promise<Answer<T>> {
  statistics.requests++;
  const answer = await api.ask<T>(query, variables);
  if (answer.kind !== "refused") return answer;
  statistics.refused++;
  if (!EXPECTED.has(answer.code))
    violations.add("other", `a hostile request got ${answer.code}: ${answer.message}`);
  return answer;
}

const unlessStopped = (ms: number, stop: AbortSignal) =>
  pause(ms, undefined, { signal: stop }).catch(() => {});

/** Repeatedly submits more long jobs than the workers have slots; cancels them at the end. */
async function occupySlots(context: Attack): Promise<void> {
  const inputs = Array.from({ length: 100 }, () => ({
    job: "echo",
    parameters: { durationMs: 60_000 },
  }));
  while (!context.stop.aborted) {
    await ask(context, context.api, ENQUEUE, { inputs });
    await unlessStopped(15_000, context.stop);
  }
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    const answer = await ask<{ n: number }>(
      context,
      context.api,
      "mutation { n: cancelQueuedJobs }",
    );
    if (answer.kind === "data" && answer.data.n === 0) return;
  }
}

const MANY_JOBS = "queuedJobs(first: 100) { nodes { photos { id } history { type } } }";

/** Short documents with long responses. */
const NESTED = [
  "query ($id: ID!) { queuedJob(id: $id) { history { queuedJob { history { queuedJob { " +
    "history { type } } } } } } }",
  "query ($id: ID!) { queuedJob(id: $id) { history { queuedJob { parameters result " +
    "photos { id } } } } }",
  "{ photos(first: 100) { nodes { queuedJobs(first: 100) { nodes { photos { " +
    "queuedJobs(first: 100) { nodes { id } } } } } } } }",
  `{ ${Array.from({ length: 19 }, (_, i) => `a${i}: ${MANY_JOBS}`).join(" ")} }`,
];

async function nestLists(context: Attack): Promise<void> {
  const runAt = new Date(Date.now() + 86_400_000).toISOString();
  const first = await ask<{ jobs: { id: string }[] }>(
    context,
    context.api,
    "mutation ($inputs: [EnqueueJobInput!]!) { jobs: enqueueJobs(inputs: $inputs) { id } }",
    { inputs: [{ job: "echo", runAt }] },
  );
  const id = first.kind === "data" ? first.data.jobs[0]?.id : undefined;
  for (let n = 0; !context.stop.aborted; n++) {
    if (id !== undefined && n % 10 === 0) await cancelAndRetry(context, id, 5);
    await ask(context, context.api, NESTED[n % NESTED.length] ?? "", { id });
    await unlessStopped(250, context.stop);
  }
}

async function cancelAndRetry(context: Attack, id: string, times: number): Promise<void> {
  const steps = Array.from(
    { length: times },
    (_, i) => `c${i}: cancelQueuedJob(id: $id) { id } r${i}: retryQueuedJob(id: $id) { id }`,
  );
  await ask(context, context.api, `mutation ($id: ID!) { ${steps.join(" ")} }`, { id });
}

/** Submits large parameters, and makes small requests that record large events. */
async function fillTables(context: Attack): Promise<void> {
  const message = "x".repeat(60_000);
  const runAt = new Date(Date.now() + 86_400_000).toISOString();
  while (!context.stop.aborted) {
    const answer = await ask<{ enqueueJobs: { id: string }[] }>(context, context.api, ENQUEUE, {
      inputs: [{ job: "echo", parameters: { message }, runAt }],
    });
    if (answer.kind === "data")
      for (const { id } of answer.data.enqueueJobs) await cancelAndRetry(context, id, 5);
    await unlessStopped(500, context.stop);
  }
}

/** Submits without a key, and without waiting for the responses. */
async function flood(context: Attack): Promise<void> {
  const inputs = [{ job: "echo", parameters: { message: "flood" } }];
  const pending = new Set<Promise<unknown>>();
  while (!context.stop.aborted) {
    const asking = ask(context, context.api, ENQUEUE, { inputs }).finally(() =>
      pending.delete(asking),
    );
    pending.add(asking);
    await unlessStopped(50, context.stop);
  }
  await Promise.all(pending);
}

/** Deletes accounts with thousands of jobs while other users work. */
async function deleteAccounts(context: Attack): Promise<void> {
  const runAt = new Date(Date.now() + 86_400_000).toISOString();
  const inputs = Array.from({ length: 100 }, () => ({ job: "echo", runAt }));
  for (let n = 0; !context.stop.aborted; n++) {
    const api = createApiClient({
      pickUrl: context.pickUrl,
      token: await context.token(`mallory-${n}`),
    });
    for (let i = 0; i < 20 && !context.stop.aborted; i++)
      await ask(context, api, ENQUEUE, { inputs });
    const answer = await ask(context, api, "mutation { deleteMe }");
    if (answer.kind === "data") context.statistics.deletedAccounts++;
    await unlessStopped(3000, context.stop);
  }
}

/** Opens sockets that never send a message; replaces those that the service closes. */
async function openIdleSockets({ pickUrl, statistics, stop }: Attack): Promise<void> {
  const sockets = new Set<Socket>();
  function open(): void {
    const { hostname, port } = new URL(pickUrl());
    const socket = connect({ host: hostname, port: Number(port), localAddress: IDLE_ADDRESS });
    sockets.add(socket);
    statistics.upgrades++;
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.write(
      `GET /graphql HTTP/1.1\r\nhost: ${hostname}:${port}\r\nupgrade: ` +
        "websocket\r\nconnection: Upgrade\r\n" +
        "sec-websocket-version: 13\r\nsec-websocket-key: " +
        "dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n",
    );
    // Received bytes are discarded, and a close frame is never answered.
    socket.resume();
  }
  while (!stop.aborted) {
    if (sockets.size < IDLE_UPGRADES) for (let i = 0; i < UPGRADES_PER_SECOND; i++) open();
    await unlessStopped(1000, stop);
  }
  for (const socket of sockets) socket.destroy();
}
