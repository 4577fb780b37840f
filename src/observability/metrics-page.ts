import { collectDefaultMetrics, Gauge, Registry, type GaugeConfiguration } from "prom-client";
import { withTimeout } from "../runtime/deadline.js";

/** Prefix of the metrics of this service. */
export const PREFIX = "photos_";

export interface MetricsPage {
  readonly registry: Registry;
  /**
   * Registers a function that runs before each scrape. If it fails or hangs, only its own values
   * are missing.
   */
  onScrape(collect: () => Promise<void>): void;
  /** Returns the text that Prometheus reads. */
  read(): Promise<{ type: string; text: string }>;
}

const TIMEOUT_MS = 2000;

/**
 * Creates the metrics page of a process, with the default metrics and the build. It has its own
 * registry, so that a test can have several.
 */
export function createMetricsPage(options: {
  process: "api" | "worker";
  version: string;
  revision: string | null;
}): MetricsPage {
  const registry = new Registry();
  const collectors: (() => Promise<void>)[] = [];
  let reading: Promise<{ type: string; text: string }> | null = null;
  // Ready-made dashboards for Node.js expect the default names.
  collectDefaultMetrics({ register: registry });
  gauge(registry, {
    name: "build_info",
    help: "Always 1; the labels name the running build",
    labelNames: ["version", "revision", "process"],
  }).set(
    { version: options.version, revision: options.revision ?? "", process: options.process },
    1,
  );
  return {
    registry,
    onScrape: (collect) => void collectors.push(collect),
    // Concurrent reads share one result.
    read: () => (reading ??= read().finally(() => (reading = null))),
  };

  async function read(): Promise<{ type: string; text: string }> {
    await Promise.all(
      collectors.map((collect) =>
        withTimeout(
          collect().catch(() => {}),
          TIMEOUT_MS,
          () => {},
        ),
      ),
    );
    return { type: registry.contentType, text: await registry.metrics() };
  }
}

/** Creates a gauge in this registry; `name` is without the prefix. */
export function gauge<Label extends string = never>(
  registry: Registry,
  options: Omit<GaugeConfiguration<Label>, "registers">,
): Gauge<Label> {
  return new Gauge<Label>({ ...options, name: `${PREFIX}${options.name}`, registers: [registry] });
}
