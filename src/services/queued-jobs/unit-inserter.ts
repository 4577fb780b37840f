import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { createMicroBatch } from "../../micro-batch.js";
import { insertUnits } from "./insert-units.js";
import type { Unit } from "./insert-units.js";
import type { Step } from "./statements.js";

export interface UnitInserterDeps {
  sql: Sql;
  maxPending: number;
  /** Called with all steps that one statement has committed; resolves when they are told. */
  recorded(steps: Step[]): Promise<void>;
}

interface Inserted {
  steps: Step[] | null;
  told: Promise<void>;
}

/** Users of different lanes are written at the same time; one's own follow each other, since they share a counter. */
const LANES = 4;
const MOST_UNITS = 100;

/**
 * Returns a function that inserts a unit together with those of other requests that wait, and resolves when it is told; null
 * when its user has no room for it, or is gone. Rejects as `insertUnits` of it alone does.
 */
export function createUnitInserter({ sql, maxPending, recorded }: UnitInserterDeps): (unit: Unit) => Promise<Step[] | null> {
  async function send(units: Unit[]): Promise<Inserted[]> {
    const inserted = await available(() => insertUnits(sql, units, maxPending));
    const steps = inserted.flatMap((own) => own ?? []);
    // The next batch is written meanwhile.
    const told = steps.length > 0 ? recorded(steps) : Promise.resolve();
    return inserted.map((own) => ({ steps: own, told }));
  }

  async function sendOne(unit: Unit): Promise<Inserted> {
    const [inserted] = await send([unit]);
    if (!inserted) throw new Error("A unit was neither inserted nor refused");
    return inserted;
  }

  const together = createMicroBatch<Unit, Inserted>({ lanes: LANES, maxItems: MOST_UNITS, laneOf: ({ userId }) => userId, keyOf, sendOne, sendMany: send });

  return async (unit) => {
    let inserted = await together(unit);
    // It may have been left out for those before it, which then were left out as well.
    if (!inserted.steps) inserted = await sendOne(unit);
    await inserted.told;
    return inserted.steps;
  };
}

/** A second submission of the same key waits for the first. Of several keys in one unit the statement itself finds out. */
function keyOf({ userId, items: [first] }: Unit): string {
  return first ? `${userId} ${first.idempotencyKey ?? first.id}` : userId;
}
