import { Counter } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

export interface MaintenanceMetrics {
  onFailure(task: string): void;
  /** Records how long the oldest rows had been due when they were purged. */
  onPurge(lagSeconds: { queuedJobs: number; groups: number; events: number }): void;
  /** Records how many recent events are in the default partition. */
  onStrayEvents(count: number): void;
  /** Reads the last success of each task, by any worker, at each scrape. */
  watch(lastSuccesses: () => Promise<{ task: string; at: number }[]>): void;
}

/** Age after which a lag is dropped, because another worker may have purged since. */
const LAG_KEPT_MS = 120_000;

/** `tasks` maps each task to the seconds without a success after which it is late. */
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
    help: "Time of the last success of a maintenance task in any worker",
    labelNames: ["task"],
  });
  let purge = { queuedJobs: 0, groups: 0, events: 0, at: now() };
  gauge(registry, {
    name: "purge_lag_seconds",
    help: "Time for which the oldest row had been due when this worker last purged",
    labelNames: ["kind"],
    collect() {
      const isOld = now() - purge.at > LAG_KEPT_MS;
      this.set({ kind: "queued_job" }, isOld ? 0 : purge.queuedJobs);
      this.set({ kind: "group" }, isOld ? 0 : purge.groups);
      this.set({ kind: "event" }, isOld ? 0 : purge.events);
    },
  });
  let strays = { count: 0, at: now() };
  gauge(registry, {
    name: "events_without_partition",
    help: "Events of the last hours in the default partition, when this worker last looked",
    collect() {
      this.set(now() - strays.at > LAG_KEPT_MS ? 0 : strays.count);
    },
  });
  for (const [task, seconds] of Object.entries(tasks)) {
    failures.inc({ task }, 0);
    late.set({ task }, seconds);
  }
  return {
    onFailure: (task) => failures.inc({ task }),
    onPurge: (lagSeconds) => void (purge = { ...lagSeconds, at: now() }),
    onStrayEvents: (count) => void (strays = { count, at: now() }),
    watch(lastSuccesses) {
      page.onScrape(async () => {
        success.reset();
        for (const { task, at } of await lastSuccesses()) success.set({ task }, at);
      });
    },
  };
}
