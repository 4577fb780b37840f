import { Counter } from "prom-client";
import { onRefusal } from "../runtime/overload.js";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

/** What waits for a connection, by pool, and what this process refused for overload. */
export function createOverloadMetrics(
  { registry }: MetricsPage,
  pools: Record<string, { waiting: number }>,
): void {
  const help =
    "Statements and items of batches that were refused: too many waited, or they had " +
    "waited for too long";
  const refusals = new Counter({
    name: `${PREFIX}refusals_total`,
    help,
    labelNames: ["what", "why"],
    registers: [registry],
  });
  for (const what of ["statement", "batch"])
    for (const why of ["full", "waited"]) refusals.inc({ what, why }, 0);
  onRefusal(({ what, why }) => refusals.inc({ what, why }));
  gauge(registry, {
    name: "statements_waiting",
    help: "Statements that wait for a connection to PostgreSQL",
    labelNames: ["pool"],
    collect() {
      for (const [pool, { waiting }] of Object.entries(pools)) this.set({ pool }, waiting);
    },
  });
}
