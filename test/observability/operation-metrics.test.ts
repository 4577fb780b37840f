import assert from "node:assert/strict";
import { it } from "node:test";
import { createMetricsPage } from "../../src/observability/metrics-page.js";
import { createOperationMetrics } from "../../src/observability/operation-metrics.js";

it("the metrics of operations show what runs and count the rows of batches", async () => {
  const page = createMetricsPage({ process: "worker", version: "1", revision: null });
  const { onRows } = createOperationMetrics(page, {
    actions: ["RETRY"],
    readProgress: async () => ({ running: 2, idleSeconds: 7 }),
  });
  onRows("RETRY", { done: 3, skipped: 1 });
  const { text } = await page.read();
  for (const line of [
    "photos_operations_running 2",
    "photos_operation_idle_seconds 7",
    'photos_operation_jobs_total{action="RETRY",outcome="done"} 3',
    'photos_operation_jobs_total{action="RETRY",outcome="skipped"} 1',
  ])
    assert.ok(text.includes(`${line}\n`), line);
});
