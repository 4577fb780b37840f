import { Counter } from "prom-client";
import { gauge, type MetricsPage, PREFIX } from "./metrics-page.js";
import { onRefusal } from "../runtime/micro-batch.js";

/**
 * `request`: a client got an internal error. `task`: an attempt failed with an unexpected error.
 * `child_…`: a child process ended while it worked on a photo. It crashed, was killed from outside,
 * exceeded its memory or time, or could not be started. `foreign_rows`: a statement returned rows
 * of another user, which were withheld. `row`: the reconciler set a row aside.
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
  "row",
] as const;
type FaultKind = (typeof FAULT_KINDS)[number];

/** Counts internal faults of all kinds in one counter. */
export function createFaultMetrics({ registry }: MetricsPage): (kind: FaultKind) => void {
  const faults = new Counter({
    name: `${PREFIX}faults_total`,
    help: "Internal faults by kind",
    labelNames: ["kind"],
    registers: [registry],
  });
  for (const kind of FAULT_KINDS) faults.inc({ kind }, 0);
  return (kind) => faults.inc({ kind });
}

/** Reports statements that wait for a connection, by pool, and refusals for overload. */
export function createOverloadMetrics(
  { registry }: MetricsPage,
  pools: Record<string, { waiting: number }>,
): void {
  const help =
    "Statements and batch items refused because too many were waiting or they had waited too " +
    "long, and connections that PostgreSQL or PgBouncer refused";
  const refusals = new Counter({
    name: `${PREFIX}refusals_total`,
    help,
    labelNames: ["what", "why"],
    registers: [registry],
  });
  for (const what of ["statement", "batch"])
    for (const why of ["full", "waited"]) refusals.inc({ what, why }, 0);
  refusals.inc({ what: "connection", why: "full" }, 0);
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
