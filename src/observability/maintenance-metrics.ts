import { Counter } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

export interface MaintenanceMetrics {
  onFailure(task: string): void;
  /** How long the oldest things had been due when a purge found them. */
  onPurge(lagSeconds: { queuedJobs: number; events: number }): void;
  /** Reads when each task succeeded last, by any worker, at each scrape. */
  watch(lastSuccesses: () => Promise<{ task: string; at: number }[]>): void;
}

/** Another worker may have purged since: an older lag is dropped. */
const LAG_KEPT_MS = 120_000;

/** `tasks`: after how many seconds without a success each is late. */
export function createMaintenanceMetrics(
  page: MetricsPage,
  tasks: Readonly<Record<string, number>>,
  now: () => number = Date.now,
): MaintenanceMetrics {
  const { registry } = page;
  const failures = new Counter({
    name: `${PREFIX}maintenance_failures_total`,
    help: "Runs of maintenance tasks that failed in this worker",
    labelNames: ["task"],
    registers: [registry],
  });
  const late = gauge(registry, {
    name: "maintenance_late_after_seconds",
    help: "Seconds without a success after which a maintenance task is late",
    labelNames: ["task"],
  });
  const success = gauge(registry, {
    name: "maintenance_last_success_timestamp_seconds",
    help: "When a maintenance task last succeeded, in any worker",
    labelNames: ["task"],
  });
  let purge = { queuedJobs: 0, events: 0, at: now() };
  gauge(registry, {
    name: "purge_lag_seconds",
    help: "How long the oldest thing had been due when this worker last purged",
    labelNames: ["kind"],
    collect() {
      const isOld = now() - purge.at > LAG_KEPT_MS;
      this.set({ kind: "queued_job" }, isOld ? 0 : purge.queuedJobs);
      this.set({ kind: "event" }, isOld ? 0 : purge.events);
    },
  });
  for (const [task, seconds] of Object.entries(tasks)) {
    failures.inc({ task }, 0);
    late.set({ task }, seconds);
  }
  return {
    onFailure: (task) => failures.inc({ task }),
    onPurge: (lagSeconds) => void (purge = { ...lagSeconds, at: now() }),
    watch(lastSuccesses) {
      page.onScrape(async () => {
        success.reset();
        for (const { task, at } of await lastSuccesses()) success.set({ task }, at);
      });
    },
  };
}
