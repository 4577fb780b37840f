import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import { stall, type Attempt } from "./attempt.js";
import { findLapsed } from "./due.js";
import { aboutStep } from "./recorder.js";
import type { Step } from "./statements.js";

export interface TakeOverDeps {
  sql: Sql;
  ttlSeconds: number;
  tell(steps: Step[], name: "backOff" | "fail"): void;
  hint(steps: Step[], delayMs: () => number): Promise<void>;
  log: Logger;
}

/** Attempts that are taken over at the same time, each by a statement of its own. */
const CONCURRENCY = 4;
/** Failures because PostgreSQL is away or a row is locked, until the rest is left for later. */
const MAX_UNAVAILABLE = 3;
/** How long a row that cannot be taken over is left out. */
const LEFT_OUT_MS = 60_000;

/** Returns a function that takes over attempts whose worker died; one that fails harms no other. */
export function createTakeOver({ sql, ttlSeconds, tell, hint, log }: TakeOverDeps) {
  const leftOut = new Set<string>();
  let since = Date.now();

  async function takeOver(
    lapsed: Attempt,
    failures: ServiceUnavailableError[],
  ): Promise<Step | null> {
    try {
      return await available(() => stall(sql, { ...lapsed, ttlSeconds }));
    } catch (error) {
      const isAway = error instanceof ServiceUnavailableError;
      if (isAway) failures.push(error);
      else leftOut.add(lapsed.id);
      const fault = { err: error, queuedJobId: lapsed.id, attempt: lapsed.attempt };
      log[isAway ? "debug" : "error"](fault, "an attempt could not be taken over");
      return null;
    }
  }

  function report(step: Step, again: boolean): void {
    const name = again ? "backOff" : "fail";
    tell([step], name);
    log.warn({ ...aboutStep(step, name), again }, "the worker of an attempt died");
  }

  /** Returns how many were taken over; throws ServiceUnavailableError once several have failed. */
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
      const steps = (await Promise.all(some)).filter((step) => step !== null);
      const again = steps.filter(({ queuedJob }) => queuedJob.status === "PENDING");
      for (const step of steps) report(step, again.includes(step));
      if (again.length > 0) await hint(again, () => 0);
      taken += steps.length;
      if (failures.length >= MAX_UNAVAILABLE) throw failures[0] as Error;
    }
    return taken;
  };
}
