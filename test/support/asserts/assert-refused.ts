import assert from "node:assert/strict";
import type { GraphqlError } from "../clients/test-client.js";

/**
 * That the first error has this code and message, and, for BAD_USER_INPUT, its first issue this
 * path.
 */
export function assertRefused(
  errors: GraphqlError[] | undefined,
  code: string,
  message: string | RegExp,
  path?: (string | number)[],
): void {
  const error = errors?.[0];
  assert.ok(error, `nothing was refused where ${code} was expected`);
  assert.equal(error.extensions.code, code, error.message);
  if (typeof message === "string") assert.equal(error.message, message);
  else assert.match(error.message, message);
  if (path) assert.deepEqual(error.extensions.issues?.[0]?.path, path);
}
