import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMaintenanceMetrics } from "../../src/observability/maintenance-metrics.js";
import { createMetricsPage } from "../../src/observability/metrics-page.js";

describe("the metrics of maintenance", () => {
  let now = 1_000_000;
  const open = () => {
    const page = createMetricsPage({ process: "worker", version: "1", revision: null });
    return {
      page,
      metrics: createMaintenanceMetrics(page, { purge: 120, recount: 3600 }, () => now),
    };
  };
  async function samples(page: ReturnType<typeof open>["page"], name: string): Promise<string[]> {
    return (await page.read()).text.split("\n").filter((line) => line.startsWith(name));
  }

  it("start at 0 failures per task, and count those of this worker", async () => {
    const { page, metrics } = open();
    metrics.onFailure("purge");
    assert.deepEqual(await samples(page, "photos_maintenance_failures_total"), [
      'photos_maintenance_failures_total{task="purge"} 1',
      'photos_maintenance_failures_total{task="recount"} 0',
    ]);
    assert.deepEqual(await samples(page, "photos_maintenance_late_after_seconds"), [
      'photos_maintenance_late_after_seconds{task="purge"} 120',
      'photos_maintenance_late_after_seconds{task="recount"} 3600',
    ]);
  });

  it("report the last success per task of any worker, and nothing if it is unknown", async () => {
    const { page, metrics } = open();
    let successes: Promise<{ task: string; at: number }[]> = Promise.resolve([
      { task: "purge", at: 17 },
    ]);
    metrics.watch(() => successes);
    assert.deepEqual(await samples(page, "photos_maintenance_last_success"), [
      'photos_maintenance_last_success_timestamp_seconds{task="purge"} 17',
    ]);
    successes = Promise.reject(new Error("Redis is unavailable"));
    assert.deepEqual(await samples(page, "photos_maintenance_last_success"), []);
  });

  it("show the lag of a purge until it is outdated", async () => {
    const { page, metrics } = open();
    metrics.onPurge({ queuedJobs: 3, groups: 5, events: 4 });
    assert.deepEqual(await samples(page, "photos_purge_lag_seconds"), [
      'photos_purge_lag_seconds{kind="queued_job"} 3',
      'photos_purge_lag_seconds{kind="group"} 5',
      'photos_purge_lag_seconds{kind="event"} 4',
    ]);
    now += 121_000;
    assert.deepEqual(await samples(page, "photos_purge_lag_seconds"), [
      'photos_purge_lag_seconds{kind="queued_job"} 0',
      'photos_purge_lag_seconds{kind="group"} 0',
      'photos_purge_lag_seconds{kind="event"} 0',
    ]);
  });
});
