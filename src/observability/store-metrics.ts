import { Counter } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

/** Statistics of the tables for all processes together, so that every process reports the same. */
export interface Backlog {
  pending: number;
  started: number;
  /** Wait of the QueuedJob that has been due longest without a pause; 0 if none is due. */
  oldestWaitSeconds: number;
  jobs: { job: string; status: string; count: number }[];
  /** Connections of all processes with this application name, by PostgreSQL's state. */
  connections: { state: string; count: number }[];
  paused: { kind: string; count: number }[];
  workers: { state: string; count: number }[];
  /** Time to get a connection and to answer all of these queries. */
  answerSeconds: number;
}

const WORKER_STATES = ["running", "draining", "lost", "stopped"];
const PAUSE_KINDS = ["JOB", "USER"];
const STATES = ["active", "idle", "idle in transaction", "idle in transaction (aborted)"];

/** Counts the notifications that this process could not publish. */
export function countDropped({ registry }: MetricsPage): (count: number) => void {
  const name = `${PREFIX}dropped_notifications_total`;
  const help = "Notifications that could not be published; streams detect their events by polling";
  const dropped = new Counter({ name, help, registers: [registry] });
  return (count) => dropped.inc(count);
}

/**
 * Gauges of the stores, read at each scrape. While PostgreSQL is unavailable they report no values
 * rather than old ones.
 */
export function gaugeStores(
  page: MetricsPage,
  deps: {
    readBacklog(): Promise<Backlog>;
    probeRedis(): Promise<string | null>;
    /** Share of Redis's memory limit in use; null if it is unknown or without limit. */
    readRedisMemory(): Promise<number | null>;
    jobs: Iterable<string>;
  },
): void {
  const jobNames = new Set(deps.jobs);
  const gauges = createGauges(page);
  const { depth, backlog, oldest, connections, paused, workers, answer, up, memory } = gauges;

  function reset(): void {
    for (const counts of [depth, backlog, connections, paused, workers]) counts.reset();
    for (const moment of [oldest, answer]) moment.set(Number.NaN);
    up.set({ dependency: "postgresql" }, 0);
  }

  function report({
    pending,
    started,
    oldestWaitSeconds,
    answerSeconds,
    ...counts
  }: Backlog): void {
    up.set({ dependency: "postgresql" }, 1);
    depth.set({ status: "PENDING" }, pending);
    depth.set({ status: "STARTED" }, started);
    oldest.set(oldestWaitSeconds);
    answer.set(answerSeconds);
    for (const { job, status, count } of counts.jobs)
      backlog.inc({ job: jobNames.has(job) ? job : "other", status }, count);
    for (const kind of PAUSE_KINDS) paused.set({ kind }, 0);
    for (const { kind, count } of counts.paused) paused.set({ kind }, count);
    for (const state of WORKER_STATES) workers.set({ state }, 0);
    for (const { state, count } of counts.workers) workers.set({ state }, count);
    for (const { state, count } of counts.connections)
      connections.inc({ state: STATES.includes(state) ? state : "other" }, count);
  }

  page.onScrape(async () =>
    up.set({ dependency: "redis" }, (await deps.probeRedis()) === null ? 1 : 0),
  );
  page.onScrape(async () => memory.set((await deps.readRedisMemory()) ?? Number.NaN));
  page.onScrape(async () => {
    reset();
    report(await deps.readBacklog());
  });
}

/** Reports by how much a read replica is behind; no value without one. */
export function gaugeReplica({ registry }: MetricsPage, lagSeconds: () => number | null): void {
  gauge(registry, {
    name: "replica_lag_seconds",
    help: "Seconds by which the read replica may be behind; +Inf if it does not answer",
    collect() {
      this.set(lagSeconds() ?? Number.NaN);
    },
  });
}

function createGauges({ registry }: MetricsPage) {
  const depth = gauge(registry, {
    name: "queue_depth",
    help: "Unfinished QueuedJobs; exact up to 20,000, then as PostgreSQL estimates",
    labelNames: ["status"],
  });
  const backlog = gauge(registry, {
    name: "queue_backlog",
    help: "Unfinished QueuedJobs among the first 5,000 of each status",
    labelNames: ["job", "status"],
  });
  const oldest = gauge(registry, {
    name: "queue_oldest_wait_seconds",
    help: "Wait of the QueuedJob that has been due longest, without paused ones",
  });
  const connections = gauge(registry, {
    name: "postgresql_connections",
    help: "Connections of all processes of this kind",
    labelNames: ["state"],
  });
  const paused = gauge(registry, {
    name: "paused",
    help: "Jobs and users that an operator has paused",
    labelNames: ["kind"],
  });
  const workers = gauge(registry, {
    name: "workers",
    help: "Worker processes of the last day, by state",
    labelNames: ["state"],
  });
  const answer = gauge(registry, {
    name: "postgresql_answer_seconds",
    help: "Time for which this process waited for a connection and for short queries",
  });
  const up = gauge(registry, {
    name: "dependency_up",
    help: "1 if the dependency answers and accepts data, otherwise 0",
    labelNames: ["dependency"],
  });
  const memory = gauge(registry, {
    name: "redis_memory_ratio",
    help: "Share of the memory limit of Redis in use; NaN if it is unknown or without limit",
  });
  return { depth, backlog, oldest, connections, paused, workers, answer, up, memory };
}
