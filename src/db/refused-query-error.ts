import { ServiceUnavailableError } from "../domain/errors.js";
import { connectionFault, sqlState } from "./database.js";

/** What an operator typed was not run, or not to its end; the message says why, in a sentence. */
export class RefusedQueryError extends Error {
  constructor(
    message: string,
    /** It may be run later on. */
    readonly later = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "RefusedQueryError";
  }
}

const SENTENCES: Record<string, string> = {
  "57014": "It took longer than 5 seconds and was stopped.",
  "55P03": "It waited too long for a lock and was stopped.",
  "53400": "It needs more room on disk than a query may take here: ask for less, or with a LIMIT.",
  "25006": "Only reading is possible here.",
  "57P01": "Its connection was ended.",
  "28P01": "The role that only reads is not in step with DATABASE_URL: run npm run migrate.",
  "28000":
    "The role that only reads is not there: npm run migrate makes it, if the owner of " +
    "the database may make roles.",
};
const BUSY = "53300";

/**
 * A RefusedQueryError with a sentence for every fault of PostgreSQL; all else stays as it is, a
 * lost server ServiceUnavailableError.
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
      ? new ServiceUnavailableError("The database is away; try again in a moment.", {
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
      "One statement at a time: there is a second one behind a semicolon.",
      false,
      { cause: error },
    );
  return new RefusedQueryError(SENTENCES[state] ?? inPostgresWords(error), false, { cause: error });
}

function inPostgresWords(error: Error): string {
  const hint = "hint" in error && typeof error.hint === "string" ? ` ${error.hint}` : "";
  return `PostgreSQL says: ${error.message}.${hint}`;
}
