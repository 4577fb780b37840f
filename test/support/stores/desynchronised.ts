import type { Database } from "../../../src/db/database.js";

/**
 * Simulates a driver that mixes up results: statements of one user return another user's rows, or
 * no rows if `to` is null. `foreign` collects the rows that the service detected.
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
      // Fragments of a statement pass unchanged.
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
