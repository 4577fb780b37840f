import type { Database } from "../../../src/db/database.js";

/**
 * As with a driver out of step: statements of one user return the rows of another, or no rows where
 * `to` is null. `foreign` collects the rows that were noticed.
 */
export function desynchronised(
  database: Database,
  { from, to }: { from: string; to: string | null },
): { database: Database; foreign: object[] } {
  const foreign: object[] = [];
  function crossed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(crossed);
    return value === from ? to : value;
  }
  const sql = new Proxy(database.sql, {
    apply(target, self, [strings, ...values]: [TemplateStringsArray, ...unknown[]]) {
      if (to !== null)
        return Reflect.apply(target, self, [strings, ...values.map(crossed)]) as unknown;
      // A part of a statement stays what it is.
      return /\bfrom\b/.test(strings.join())
        ? target`select 1 where false`
        : (Reflect.apply(target, self, [strings, ...values]) as unknown);
    },
  });
  function foreignRows(rows: object) {
    foreign.push(rows);
    return database.foreignRows(rows);
  }
  return {
    database: Object.create(database, {
      sql: { value: sql },
      foreignRows: { value: foreignRows },
    }) as Database,
    foreign,
  };
}
