// A signed-in user, and an unauthenticated address, that keep within every limit and do the worst
// those allow.
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createApiClient, type Answer, type ApiClient } from "./api-client.js";
import type { Violations } from "../checks/violations.js";

export interface HostileStatistics {
  requests: number;
  /** Answered with the code of a limit. */
  refused: number;
  upgrades: number;
  deletedAccounts: number;
}

export interface HostileOptions {
  pickUrl: () => string;
  /** A token issued now. */
  token(subject: string): Promise<string>;
  violations: Violations;
  stop: AbortSignal;
}

/** What limits answer; any other refusal of a hostile request is a fault of ours. */
const EXPECTED = new Set([
  "QUOTA_EXCEEDED",
  "GRAPHQL_VALIDATION_FAILED",
  "BAD_USER_INPUT",
  "CONFLICT",
  "NOT_FOUND",
  "UNAUTHENTICATED",
]);
const ENQUEUE = "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }";
/** The address of those who only open connections: another one than the bystanders'. */
const IDLE_ADDRESS = "127.0.0.2";
const IDLE_UPGRADES = 500;
const UPGRADES_PER_SECOND = 16;

interface Attack extends HostileOptions {
  api: ApiClient;
  statistics: HostileStatistics;
}

/** Attacks until `stop`, in every way at once; resolves when the last attack has ended. */
export async function attack(options: HostileOptions): Promise<HostileStatistics> {
  const statistics: HostileStatistics = {
    requests: 0,
    refused: 0,
    upgrades: 0,
    deletedAccounts: 0,
  };
  const api = createApiClient({ pickUrl: options.pickUrl, token: await options.token("mallory") });
  const own = { ...options, api, statistics };
  await Promise.all([
    occupySlots(own),
    nestLists(own),
    fillTables(own),
    flood(own),
    deleteAccounts(own),
    openIdleSockets(own),
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
    violations.add("other", `a hostile request was answered ${answer.code}: ${answer.message}`);
  return answer;
}

const unlessStopped = (ms: number, stop: AbortSignal) =>
  pause(ms, undefined, { signal: stop }).catch(() => {});

/** As many long jobs as all workers have slots, again and again; cancelled at the end. */
async function occupySlots(own: Attack): Promise<void> {
  const inputs = Array.from({ length: 100 }, () => ({
    job: "echo",
    parameters: { durationMs: 60_000 },
  }));
  while (!own.stop.aborted) {
    await ask(own, own.api, ENQUEUE, { inputs });
    await unlessStopped(15_000, own.stop);
  }
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    const answer = await ask<{ n: number }>(own, own.api, "mutation { n: cancelQueuedJobs }");
    if (answer.kind === "data" && answer.data.n === 0) return;
  }
}

const MANY_JOBS = "queuedJobs(first: 100) { nodes { photos { id } history { type } } }";

/** Documents that are short, and whose answers are not. */
const NESTED = [
  "query ($id: ID!) { queuedJob(id: $id) { history { queuedJob { history { queuedJob { " +
    "history { type } } } } } } }",
  "query ($id: ID!) { queuedJob(id: $id) { history { queuedJob { parameters result " +
    "photos { id } } } } }",
  "{ photos(first: 100) { nodes { queuedJobs(first: 100) { nodes { photos { " +
    "queuedJobs(first: 100) { nodes { id } } } } } } } }",
  `{ ${Array.from({ length: 19 }, (_, i) => `a${i}: ${MANY_JOBS}`).join(" ")} }`,
];

async function nestLists(own: Attack): Promise<void> {
  const runAt = new Date(Date.now() + 86_400_000).toISOString();
  const first = await ask<{ jobs: { id: string }[] }>(
    own,
    own.api,
    "mutation ($inputs: [EnqueueJobInput!]!) { jobs: enqueueJobs(inputs: $inputs) { id } }",
    { inputs: [{ job: "echo", runAt }] },
  );
  const id = first.kind === "data" ? first.data.jobs[0]?.id : undefined;
  for (let n = 0; !own.stop.aborted; n++) {
    if (id !== undefined && n % 10 === 0) await cancelAndRetry(own, id, 5);
    await ask(own, own.api, NESTED[n % NESTED.length] ?? "", { id });
    await unlessStopped(250, own.stop);
  }
}

async function cancelAndRetry(own: Attack, id: string, times: number): Promise<void> {
  const steps = Array.from(
    { length: times },
    (_, i) => `c${i}: cancelQueuedJob(id: $id) { id } r${i}: retryQueuedJob(id: $id) { id }`,
  );
  await ask(own, own.api, `mutation ($id: ID!) { ${steps.join(" ")} }`, { id });
}

/** Large parameters, and small requests that record large events. */
async function fillTables(own: Attack): Promise<void> {
  const message = "x".repeat(60_000);
  const runAt = new Date(Date.now() + 86_400_000).toISOString();
  while (!own.stop.aborted) {
    const answer = await ask<{ enqueueJobs: { id: string }[] }>(own, own.api, ENQUEUE, {
      inputs: [{ job: "echo", parameters: { message }, runAt }],
    });
    if (answer.kind === "data")
      for (const { id } of answer.data.enqueueJobs) await cancelAndRetry(own, id, 5);
    await unlessStopped(500, own.stop);
  }
}

/** Submissions without a key, more than are waited for. */
async function flood(own: Attack): Promise<void> {
  const inputs = [{ job: "echo", parameters: { message: "flood" } }];
  const asked = new Set<Promise<unknown>>();
  while (!own.stop.aborted) {
    const asking = ask(own, own.api, ENQUEUE, { inputs }).finally(() => asked.delete(asking));
    asked.add(asking);
    await unlessStopped(50, own.stop);
  }
  await Promise.all(asked);
}

/** Accounts with thousands of jobs that are deleted while others work. */
async function deleteAccounts(own: Attack): Promise<void> {
  const runAt = new Date(Date.now() + 86_400_000).toISOString();
  const inputs = Array.from({ length: 100 }, () => ({ job: "echo", runAt }));
  for (let n = 0; !own.stop.aborted; n++) {
    const api = createApiClient({ pickUrl: own.pickUrl, token: await own.token(`mallory-${n}`) });
    for (let i = 0; i < 20 && !own.stop.aborted; i++) await ask(own, api, ENQUEUE, { inputs });
    const answer = await ask(own, api, "mutation { deleteMe }");
    if (answer.kind === "data") own.statistics.deletedAccounts++;
    await unlessStopped(3000, own.stop);
  }
}

/**
 * Upgrades that are never followed by a word; each is opened again when the service gives it up.
 */
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
    // What comes is thrown away: a close frame is never answered.
    socket.resume();
  }
  while (!stop.aborted) {
    if (sockets.size < IDLE_UPGRADES) for (let i = 0; i < UPGRADES_PER_SECOND; i++) open();
    await unlessStopped(1000, stop);
  }
  for (const socket of sockets) socket.destroy();
}
