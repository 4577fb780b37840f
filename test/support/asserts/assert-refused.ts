import assert from "node:assert/strict";
import type { GraphqlError } from "../clients/test-client.js";

/** Asserts the code and message of the first error, and the path of its first issue, if given. */
export function assertRefused(
  errors: GraphqlError[] | undefined,
  code: string,
  message: string | RegExp,
  path?: (string | number)[],
): void {
  const error = errors?.[0];
  assert.ok(error, `no error, but ${code} was expected`);
  assert.equal(error.extensions.code, code, error.message);
  if (typeof message === "string") assert.equal(error.message, message);
  else assert.match(error.message, message);
  if (path) assert.deepEqual(error.extensions.issues?.[0]?.path, path);
}
