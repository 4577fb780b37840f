import { parseConfig, readEnvironment, type Config, type Need } from "../../runtime/config.js";
import { keyFaults } from "./key-faults.js";

export type CompleteConfig = Config & { databaseUrl: string; redisUrl: string };

/**
 * The configuration of a process that needs both stores; where NODE_ENV is unset it is production.
 */
export function readConfig(needs: readonly Need[]): CompleteConfig {
  const config = parseConfig(readEnvironment(), ["database", "redis", "storage", ...needs], {
    production: true,
    ...(needs.includes("tokens") && { check: keyFaults }),
  });
  return config as CompleteConfig;
}
