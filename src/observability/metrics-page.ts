import { collectDefaultMetrics, Gauge, Registry, type GaugeConfiguration } from "prom-client";
import { withTimeout } from "../runtime/deadline.js";

/** The one prefix of all names. */
export const PREFIX = "photos_";

export interface MetricsPage {
  /** Where metrics are put. */
  readonly registry: Registry;
  /**
   * Called at each scrape, before the values are read; one that fails or hangs costs its own values
   * only.
   */
  onScrape(collect: () => Promise<void>): void;
  /** The text that Prometheus reads. */
  read(): Promise<{ type: string; text: string }>;
}

const TIMEOUT_MS = 2000;

/**
 * A page of a process's metrics, with its basics and what was built. A registry of its own: a test
 * may have several.
 */
export function createMetricsPage(options: {
  process: "api" | "worker";
  version: string;
  revision: string | null;
}): MetricsPage {
  const registry = new Registry();
  const collectors: (() => Promise<void>)[] = [];
  let reading: Promise<{ type: string; text: string }> | null = null;
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  gauge(registry, {
    name: "build_info",
    help: "Always 1; what runs here",
    labelNames: ["version", "revision", "process"],
  }).set(
    { version: options.version, revision: options.revision ?? "", process: options.process },
    1,
  );
  return {
    registry,
    onScrape: (collect) => void collectors.push(collect),
    // Who asks while it is being read gets the same one.
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

/** A gauge of this registry; `name` without the prefix. */
export function gauge<Label extends string = never>(
  registry: Registry,
  options: Omit<GaugeConfiguration<Label>, "registers">,
): Gauge<Label> {
  return new Gauge<Label>({ ...options, name: `${PREFIX}${options.name}`, registers: [registry] });
}
