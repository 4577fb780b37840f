import { Counter } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

/** What stands in the tables; of all processes together, so that each tells the same. */
export interface Backlog {
  pending: number;
  started: number;
  /** Of the one that is due for longest; 0 when none is. */
  oldestWaitSeconds: number;
  jobs: { job: string; status: string; count: number }[];
  /** Of all processes that are named as this one is, by PostgreSQL's word for what they do. */
  connections: { state: string; count: number }[];
  /** Until a connection was free and all of this was answered. */
  answerSeconds: number;
}

const STATES = ["active", "idle", "idle in transaction", "idle in transaction (aborted)"];

/** Counts the notifications that this process could not publish. */
export function countDropped({ registry }: MetricsPage): (count: number) => void {
  const name = `${PREFIX}dropped_notifications_total`;
  const help = "Notifications of events that could not be published; streams find them by polling";
  const dropped = new Counter({ name, help, registers: [registry] });
  return (count) => dropped.inc(count);
}

/**
 * Gauges of the stores, read at each scrape. While PostgreSQL is away they say nothing rather than
 * what was.
 */
export function gaugeStores(
  page: MetricsPage,
  deps: {
    readBacklog(): Promise<Backlog>;
    probeRedis(): Promise<string | null>;
    jobs: Iterable<string>;
  },
): void {
  const known = new Set(deps.jobs);
  const { depth, backlog, oldest, connections, answer, up } = createGauges(page);

  function forget(): void {
    for (const counts of [depth, backlog, connections]) counts.reset();
    for (const moment of [oldest, answer]) moment.set(Number.NaN);
    up.set({ dependency: "postgresql" }, 0);
  }

  function tell({ pending, started, oldestWaitSeconds, answerSeconds, ...counts }: Backlog): void {
    up.set({ dependency: "postgresql" }, 1);
    depth.set({ status: "PENDING" }, pending);
    depth.set({ status: "STARTED" }, started);
    oldest.set(oldestWaitSeconds);
    answer.set(answerSeconds);
    for (const { job, status, count } of counts.jobs)
      backlog.inc({ job: known.has(job) ? job : "other", status }, count);
    for (const { state, count } of counts.connections)
      connections.inc({ state: STATES.includes(state) ? state : "other" }, count);
  }

  page.onScrape(async () =>
    up.set({ dependency: "redis" }, (await deps.probeRedis()) === null ? 1 : 0),
  );
  page.onScrape(async () => {
    forget();
    tell(await deps.readBacklog());
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
    help: "How long the QueuedJob that is due for longest has waited",
  });
  const connections = gauge(registry, {
    name: "postgresql_connections",
    help: "Connections of all processes of this kind",
    labelNames: ["state"],
  });
  const answer = gauge(registry, {
    name: "postgresql_answer_seconds",
    help: "How long this process waited for connections of its pool and for short answers",
  });
  const up = gauge(registry, {
    name: "dependency_up",
    help: "1 when it answers",
    labelNames: ["dependency"],
  });
  return { depth, backlog, oldest, connections, answer, up };
}
