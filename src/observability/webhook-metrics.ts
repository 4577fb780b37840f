import { Counter, Histogram } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

export interface WebhookCounts {
  /** Users with undelivered events. */
  waiting: number;
  failing: number;
  paused: number;
  /** True if all deliveries are paused. */
  isPaused: boolean;
  /** Age of the oldest undelivered event. */
  lagSeconds: number;
  missed: number;
}

export interface WebhookMetrics {
  /** Counts an attempt; `failure` is null when the webhook was delivered. */
  onAnswer(answer: { failure: string | null }, seconds: number): void;
}

/** Metrics of webhooks; all but the attempts are read from the database at each scrape. */
export function createWebhookMetrics(
  page: MetricsPage,
  { failures, readCounts }: { failures: readonly string[]; readCounts(): Promise<WebhookCounts> },
): WebhookMetrics {
  const { registry } = page;
  const attempts = new Counter({
    name: `${PREFIX}webhook_attempts_total`,
    help: "Attempts to deliver a webhook in this process",
    labelNames: ["outcome"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: `${PREFIX}webhook_duration_seconds`,
    help: "Time until the receiver answered a webhook",
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers: [registry],
  });
  const users = gauge(registry, {
    name: "webhook_users",
    help: "Users whose webhooks wait, fail or are paused, read from the database",
    labelNames: ["state"],
  });
  const paused = gauge(registry, {
    name: "webhooks_paused",
    help: "1 if the webhooks of all users are paused",
  });
  const lag = gauge(registry, {
    name: "webhook_lag_seconds",
    help: "Age of the oldest event that no webhook has delivered",
  });
  const missed = gauge(registry, {
    name: "webhook_missed_numbers",
    help: "Numbers of events that expired before their webhook was delivered",
  });
  for (const outcome of ["delivered", ...failures]) attempts.inc({ outcome }, 0);
  page.onScrape(async () => {
    const counts = await readCounts();
    for (const state of ["waiting", "failing", "paused"] as const)
      users.set({ state }, counts[state]);
    paused.set(counts.isPaused ? 1 : 0);
    lag.set(counts.lagSeconds);
    missed.set(counts.missed);
  });
  return {
    onAnswer({ failure }, seconds) {
      attempts.inc({ outcome: failure ?? "delivered" });
      duration.observe(seconds);
    },
  };
}
