import { Counter } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

export interface OperationMetrics {
  /** Counts the rows of a batch. */
  onRows(action: string, rows: { done: number; skipped: number }): void;
}

/** Metrics of the operations of operators; what runs is read at each scrape. */
export function createOperationMetrics(
  page: MetricsPage,
  {
    actions,
    readProgress,
  }: {
    actions: readonly string[];
    readProgress(): Promise<{ running: number; idleSeconds: number }>;
  },
): OperationMetrics {
  const { registry } = page;
  const rows = new Counter({
    name: `${PREFIX}operation_jobs_total`,
    help: "QueuedJobs that operations changed or skipped in this process",
    labelNames: ["action", "outcome"],
    registers: [registry],
  });
  const running = gauge(registry, {
    name: "operations_running",
    help: "Operations that run, read from the database",
  });
  const idle = gauge(registry, {
    name: "operation_idle_seconds",
    help: "Longest time for which a running operation has made no progress",
  });
  for (const action of actions)
    for (const outcome of ["done", "skipped"]) rows.inc({ action, outcome }, 0);
  page.onScrape(async () => {
    const progress = await readProgress();
    running.set(progress.running);
    idle.set(progress.idleSeconds);
  });
  return {
    onRows(action, { done, skipped }) {
      rows.inc({ action, outcome: "done" }, done);
      rows.inc({ action, outcome: "skipped" }, skipped);
    },
  };
}
