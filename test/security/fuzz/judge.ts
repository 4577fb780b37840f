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
 * What is wrong with an answer, in a sentence; null when nothing is. Statuses of 500 and more are,
 * whatever was asked.
 */
export function judge(status: number, text: string): string | null {
  if (status >= 500) return `it was answered ${status}: ${text.slice(0, 300)}`;
  const codes = [...text.matchAll(/"code":"([^"]*)"/g)].map(([, code = ""]) => code);
  const odd = codes.find((code) => !CODES.includes(code));
  if (odd !== undefined) return `the code ${odd} left the service: ${text.slice(0, 300)}`;
  // What was sent comes back within quotes, and is no leak of ours.
  const leak = LEAKS.exec(text.replaceAll(/\\"(?:[^"\\]|\\[^"])*\\"/g, ""));
  return leak && codes.length > 0
    ? `it tells ${JSON.stringify(leak[0])}: ${text.slice(0, 300)}`
    : null;
}
