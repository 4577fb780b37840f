import { LEAKS } from "../attacked-service.js";

const CODES = [
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "BAD_USER_INPUT",
  "CONFLICT",
  "IDEMPOTENCY_CONFLICT",
  "QUOTA_EXCEEDED",
  "CURSOR_EXPIRED",
  "GRAPHQL_VALIDATION_FAILED",
  "GRAPHQL_PARSE_FAILED",
  "BAD_REQUEST",
  "PHOTO_TOO_LARGE",
  "PHOTO_UNREADABLE",
];

/**
 * Returns the fault of a response as a sentence, or null. A status of 500 or more is always a
 * fault.
 */
export function judge(status: number, text: string): string | null {
  if (status >= 500) return `the response has the status ${status}: ${text.slice(0, 300)}`;
  const codes = [...text.matchAll(/"code":"([^"]*)"/g)].map(([, code = ""]) => code);
  const odd = codes.find((code) => !CODES.includes(code));
  if (odd !== undefined) return `the response has the code ${odd}: ${text.slice(0, 300)}`;
  // The response quotes parts of the request; those are not leaks.
  const leak = LEAKS.exec(text.replaceAll(/\\"(?:[^"\\]|\\[^"])*\\"/g, ""));
  return leak && codes.length > 0
    ? `the response leaks ${JSON.stringify(leak[0])}: ${text.slice(0, 300)}`
    : null;
}
