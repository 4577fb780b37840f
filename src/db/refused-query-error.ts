import { ServiceUnavailableError } from "../domain/errors.js";
import { connectionFault, sqlState } from "./database.js";

/** An operator's query was refused or stopped; the message says why in a sentence. */
export class RefusedQueryError extends Error {
  constructor(
    message: string,
    /** True if a retry may succeed. */
    readonly later = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "RefusedQueryError";
  }
}

const SENTENCES: Record<string, string> = {
  "57014": "The query took longer than 5 seconds and was stopped.",
  "55P03": "The query waited too long for a lock and was stopped.",
  "53400": "The query needs more disk space than allowed: select fewer rows, or use LIMIT.",
  "25006": "Only reading is allowed here.",
  "57P01": "The query's connection was closed.",
};
const BUSY = "53300";

/**
 * Returns a RefusedQueryError with a sentence for each PostgreSQL error, and
 * ServiceUnavailableError for a lost server. Other errors are returned unchanged.
 */
export function explainRefusal(error: unknown): unknown {
  const state = sqlState(error);
  if (
    error instanceof RefusedQueryError ||
    error instanceof ServiceUnavailableError ||
    !(error instanceof Error)
  )
    return error;
  if (state === null && "code" in error && error.code === "CONNECTION_CLOSED")
    return new RefusedQueryError(SENTENCES["57P01"] ?? "", true, { cause: error });
  if (state === null)
    return connectionFault(error) !== null
      ? new ServiceUnavailableError("The database is unavailable; try again in a moment.", {
          cause: error,
        })
      : error;
  if (state === BUSY)
    return new RefusedQueryError(
      "Other queries are running already; try again in a moment.",
      true,
      { cause: error },
    );
  if (error.message.includes("cannot insert multiple commands"))
    return new RefusedQueryError(
      "Only one statement is allowed: a second one follows a semicolon.",
      false,
      { cause: error },
    );
  return new RefusedQueryError(SENTENCES[state] ?? inPostgresWords(error), false, { cause: error });
}

function inPostgresWords(error: Error): string {
  const hint = "hint" in error && typeof error.hint === "string" ? ` ${error.hint}` : "";
  return `PostgreSQL says: ${error.message}.${hint}`;
}
