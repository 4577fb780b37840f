import { ConfigError, parseConfig, readEnvironment } from "../../runtime/config.js";
import type { CompleteConfig } from "./read-config.js";
import { readServiceFile } from "../local-service/service-file.js";

/**
 * The configuration of a command that works on what a service has: its stores are those that are
 * named, else those of the service that runs from this folder.
 */
export async function readRunningConfig(): Promise<CompleteConfig> {
  const config = parseConfig(readEnvironment(), ["storage"]);
  const running =
    config.databaseUrl && config.redisUrl ? null : await readServiceFile(config.dataFolder);
  const databaseUrl = config.databaseUrl ?? running?.databaseUrl;
  const redisUrl = config.redisUrl ?? running?.redisUrl;
  if (!databaseUrl || !redisUrl)
    throw new ConfigError([
      "No service runs from this folder, and DATABASE_URL or REDIS_URL is not set",
    ]);
  return { ...config, databaseUrl, redisUrl };
}
