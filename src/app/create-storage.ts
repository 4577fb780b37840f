import { join } from "node:path";
import type { Config } from "../runtime/config.js";
import type { Logger } from "../runtime/logger.js";
import { createLocalStorage } from "../photos/local-storage.js";
import { createS3Storage } from "../photos/s3-storage.js";
import type { Storage } from "../photos/storage.js";

/** Where photo bytes live, by STORAGE_URL. */
export function createStorage(config: Config, log: Logger): Promise<Storage> {
  if (config.storageUrl.startsWith("file:"))
    return createLocalStorage(config.storageUrl.slice("file:".length));
  const [bucket = "", ...folders] = config.storageUrl
    .slice("s3://".length)
    .split("/")
    .filter(Boolean);
  return createS3Storage({
    bucket,
    prefix: folders.map((folder) => `${folder}/`).join(""),
    // Other servers than Amazon's have one region, and this is what they call it.
    region: config.awsRegion ?? "us-east-1",
    endpoint: config.awsEndpointUrl,
    accessKeyId: config.awsAccessKeyId ?? "",
    secretAccessKey: config.awsSecretAccessKey ?? "",
    scratchFolder: join(config.dataFolder, "scratch"),
    log,
  });
}
