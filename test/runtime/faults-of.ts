import assert from "node:assert/strict";
import { ConfigError, parseConfig, type Environment, type Need } from "../../src/runtime/config.js";

/** Returns the faults of an environment, one sentence each. */
export function faultsOf(env: Environment, needs: readonly Need[] = []): string[] {
  try {
    parseConfig(env, needs);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.faults;
  }
}
