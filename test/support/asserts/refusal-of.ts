import {
  InvalidInputError,
  QuotaExceededError,
  ServiceError,
  type InputIssue,
} from "../../../src/domain/errors.js";

export interface Refusal {
  code: string;
  message: string;
  issues?: InputIssue[];
  retryAfterMs?: number;
}

/** Returns the service's refusal; throws if the work succeeded or failed with another error. */
export async function refusalOf(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(
    (result) => new Error(`A refusal was expected, got: ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ServiceError)) throw error;
  return {
    code: error.code,
    message: error.message,
    ...(error instanceof InvalidInputError && { issues: error.issues }),
    ...(error instanceof QuotaExceededError && { retryAfterMs: error.retryAfterMs }),
  };
}
