import { readFileSync } from "node:fs";
import {
  parseConfig,
  readEnvironment,
  type Config,
  type Need,
  ConfigError,
} from "../runtime/config.js";
import { readServiceFile } from "./local-service/service-file.js";
import { parseJwksUrl } from "../auth/fetch-jwks.js";
import { parsePublicKeys } from "../auth/public-keys.js";

export type CompleteConfig = Config & { databaseUrl: string; redisUrl: string };

/** The configuration of a process that needs both stores; the default of NODE_ENV is production. */
export function readConfig(needs: readonly Need[]): CompleteConfig {
  const config = parseConfig(readEnvironment(), ["database", "redis", "storage", ...needs], {
    production: true,
    ...(needs.includes("tokens") && { check: keyFaults }),
  });
  return config as CompleteConfig;
}

/**
 * The configuration of a command that uses the stores of a service. They are the configured ones,
 * else those of the service of this folder.
 */
export async function readRunningConfig(): Promise<CompleteConfig> {
  const config = parseConfig(readEnvironment(), ["storage"]);
  const running =
    config.databaseUrl && config.redisUrl ? null : await readServiceFile(config.dataFolder);
  const databaseUrl = config.databaseUrl ?? running?.databaseUrl;
  const redisUrl = config.redisUrl ?? running?.redisUrl;
  if (!databaseUrl || !redisUrl)
    throw new ConfigError([
      "No service runs from this folder, and DATABASE_URL or REDIS_URL is not set: run npm " +
        "start, or set both",
    ]);
  return { ...config, databaseUrl, redisUrl };
}

/**
 * One sentence for each fault of the keys that verify tokens; the keys themselves are not quoted.
 */
export function keyFaults({ jwtPublicKey, jwtJwksUrl }: Config): string[] {
  return [
    ...faultOf("JWT_PUBLIC_KEY", () => jwtPublicKey !== null && parsePublicKeys(jwtPublicKey)),
    ...faultOf("JWT_JWKS_URL", () => jwtJwksUrl !== null && parseJwksUrl(jwtJwksUrl)),
  ];
}

function faultOf(name: string, parse: () => unknown): string[] {
  try {
    parse();
    return [];
  } catch (error) {
    return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/**
 * Returns the result of `read`. A faulty configuration prints one message and ends the process with
 * 1.
 */
export function orExit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const manifest = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
) as { version: string };

/** Version of the release. */
export const version = manifest.version;
