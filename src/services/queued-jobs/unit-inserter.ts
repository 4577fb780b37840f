import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { insertOne } from "./insert-one.js";
import { insertUnits, type AcceptLimits, type Unit } from "./insert-units.js";
import { createOwnerBatch } from "./owner-batch.js";
import type { Step } from "./statements.js";

export interface UnitInserterDeps {
  sql: Sql;
  limits: AcceptLimits;
  /**
   * Called with all steps that one statement has committed. Nobody waits for it: what is recorded
   * is accepted.
   */
  recorded(steps: Step[]): void;
}

/**
 * Users of different lanes are written at the same time; one's own follow each other, since they
 * share a counter.
 */
const LANES = 4;
const MOST_UNITS = 100;
/** How long a submission waits for its user's locked counter. */
const PATIENCE_MS = 4000;

/**
 * Returns a function that inserts a unit together with those of other requests that wait; null when
 * its user has no room for it, or is gone. Rejects as `insertUnits` of it alone does.
 */
export function createUnitInserter({
  sql,
  limits,
  recorded,
}: UnitInserterDeps): (unit: Unit) => Promise<Step[] | null> {
  async function insert(units: Unit[]): Promise<(Step[] | null)[]> {
    const [unit, ...others] = units;
    const [item, ...beside] = unit?.items ?? [];
    if (!unit || !item || others.length > 0 || beside.length > 0)
      return insertUnits(sql, units, limits);
    const step = await insertOne(sql, unit, item, limits);
    return [step && [step]];
  }

  async function send(units: Unit[]): Promise<(Step[] | null)[]> {
    const inserted = await available(() => insert(units));
    const steps = inserted.flatMap((own) => own ?? []);
    if (steps.length > 0) recorded(steps);
    return inserted;
  }

  const sendOne = async (unit: Unit) => (await send([unit]))[0] ?? null;

  const userOf = ({ userId }: Unit) => userId;
  const together = createOwnerBatch<Unit, Step[] | null>({
    lanes: LANES,
    maxItems: MOST_UNITS,
    patienceMs: PATIENCE_MS,
    laneOf: userOf,
    ownerOf: userOf,
    keyOf: keysOf,
    sendOne,
    sendMany: send,
  });

  // It may have been left out for those before it, which then were left out as well.
  return async (unit) => (await together(unit)) ?? sendOne(unit);
}

/** A second submission of any of the same keys waits for the first. */
function keysOf({ userId, items }: Unit): string[] {
  return items.flatMap(({ idempotencyKey: key }) => (key === null ? [] : `${userId} ${key}`));
}
