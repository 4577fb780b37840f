import assert from "node:assert/strict";
import { it } from "node:test";
import { createMetricsPage } from "../../src/observability/metrics-page.js";
import { createWebhookMetrics } from "../../src/observability/webhook-metrics.js";

it("the metrics of webhooks show the state of all users and count the attempts", async () => {
  const page = createMetricsPage({ process: "worker", version: "1", revision: null });
  const { onAnswer } = createWebhookMetrics(page, {
    failures: ["timeout"],
    readCounts: async () => ({
      waiting: 5,
      failing: 2,
      paused: 1,
      isPaused: true,
      lagSeconds: 7,
      missed: 3,
    }),
  });
  onAnswer({ failure: null }, 0.2);
  onAnswer({ failure: "timeout" }, 10);
  const { text } = await page.read();
  for (const line of [
    'photos_webhook_users{state="waiting"} 5',
    'photos_webhook_users{state="failing"} 2',
    'photos_webhook_users{state="paused"} 1',
    "photos_webhooks_paused 1",
    "photos_webhook_lag_seconds 7",
    "photos_webhook_missed_numbers 3",
    'photos_webhook_attempts_total{outcome="delivered"} 1',
    'photos_webhook_attempts_total{outcome="timeout"} 1',
    "photos_webhook_duration_seconds_count 2",
  ])
    assert.ok(text.includes(`${line}\n`), line);
});
