import { Counter } from "prom-client";
import { gauge, type MetricsPage, PREFIX } from "./metrics-page.js";
import { onRefusal } from "../runtime/overload.js";

/**
 * `request`: an answer that hides a bug of ours. `task`: an attempt that failed of what no task
 * foresaw. `child_…`: how a child process ended that was at a photo: it died of itself, was killed
 * from outside, ran out of its memory, or of its time; or could not be started. `foreign_rows`: a
 * statement was answered with rows of another user, which were not given out.
 */
const FAULT_KINDS = [
  "request",
  "task",
  "child_crashed",
  "child_killed",
  "child_memory",
  "child_timeout",
  "child_unstartable",
  "foreign_rows",
] as const;
type FaultKind = (typeof FAULT_KINDS)[number];

/** What should not have happened, of all kinds in one counter. */
export function createFaultMetrics({ registry }: MetricsPage): (kind: FaultKind) => void {
  const faults = new Counter({
    name: `${PREFIX}faults_total`,
    help: "What should not have happened, by its kind",
    labelNames: ["kind"],
    registers: [registry],
  });
  for (const kind of FAULT_KINDS) faults.inc({ kind }, 0);
  return (kind) => faults.inc({ kind });
}

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
