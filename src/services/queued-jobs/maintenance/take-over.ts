// Takes over the attempts of dead workers. A partial index finds them, whatever the size of the table.
import type { Sql } from "postgres";
import { available } from "../../../db/database.js";
import { ServiceUnavailableError } from "../../../domain/errors.js";
import type { Logger } from "../../../runtime/logger.js";
import { stall } from "../attempt.js";
import { hasLapsed, type Attempt } from "../claim/leases.js";
import { logFields, type Committer } from "../commit.js";
import type { Step } from "../statements.js";

export interface TakeOverDeps {
  sql: Sql;
  ttlSeconds: number;
  commit: Committer["commit"];
  /** Called when an attempt is set aside, because it cannot be taken over. */
  onSetAside?: () => void;
  log: Logger;
}

/** Maximum concurrent take-overs, each with its own statement. */
const CONCURRENCY = 4;
/** Failures because of PostgreSQL or a locked row after which the rest waits for the next call. */
const MAX_UNAVAILABLE = 3;
/** Time for which a row that cannot be taken over is skipped. */
const LEFT_OUT_MS = 60_000;

/** Takes over attempts whose worker died. A row that fails does not stop the others. */
export function createTakeOver(deps: TakeOverDeps) {
  const { sql, ttlSeconds, commit, log } = deps;
  const leftOut = new Set<string>();
  let since = Date.now();

  async function takeOver(
    lapsed: Attempt,
    failures: ServiceUnavailableError[],
  ): Promise<Step | null> {
    try {
      const step = await commit({
        step: "backOff",
        write: () => stall(sql, { ...lapsed, ttlSeconds }),
        eventsOf: (one) => [one],
        delayMs: 0,
      });
      if (step) report(step);
      return step;
    } catch (error) {
      const isAway = error instanceof ServiceUnavailableError;
      if (isAway) failures.push(error);
      else {
        leftOut.add(lapsed.id);
        deps.onSetAside?.();
      }
      const fault = { err: error, queuedJobId: lapsed.id, attempt: lapsed.attempt };
      log[isAway ? "debug" : "error"](fault, "an attempt could not be taken over");
      return null;
    }
  }

  function report(step: Step): void {
    const again = step.type === "RETRYING";
    log.warn({ ...logFields(step), again }, "the worker of an attempt died");
  }

  /** Returns the number of take-overs; throws ServiceUnavailableError after several failures. */
  return async (limit: number): Promise<number> => {
    if (Date.now() - since > LEFT_OUT_MS) {
      leftOut.clear();
      since = Date.now();
    }
    const lapsed = await available(() => findLapsed(sql, limit, [...leftOut]));
    const failures: ServiceUnavailableError[] = [];
    let taken = 0;
    for (let i = 0; i < lapsed.length; i += CONCURRENCY) {
      const some = lapsed.slice(i, i + CONCURRENCY).map((one) => takeOver(one, failures));
      taken += (await Promise.all(some)).filter((step) => step !== null).length;
      if (failures.length >= MAX_UNAVAILABLE) throw failures[0] as Error;
    }
    return taken;
  };
}

/** Finds attempts whose lease was not renewed in time. It reads all started rows. */
export function findLapsed(sql: Sql, limit: number, leftOut: string[] = []): Promise<Attempt[]> {
  return sql<Attempt[]>`
    select id, attempts as attempt from queued_jobs
    where status = 'STARTED' and ${hasLapsed(sql)} and id <> all(${leftOut}::uuid[])
    order by lease_until limit ${limit}`;
}
