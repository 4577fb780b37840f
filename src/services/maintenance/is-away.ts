import { sqlState } from "../../db/database.js";
import { ServiceUnavailableError } from "../../domain/errors.js";

/**
 * lock_not_available, query_canceled: a row is locked for long, or has more behind it than a
 * statement may read.
 */
const ABOUT_A_ROW = new Set(["55P03", "57014"]);

/**
 * Whether a store is away, so that the next row would fail alike; other faults are of the row in
 * hand.
 */
export function isAway(error: unknown): boolean {
  return error instanceof ServiceUnavailableError && !ABOUT_A_ROW.has(sqlState(error) ?? "");
}
