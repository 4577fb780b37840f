import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../runtime/config.js";

/** Returns the secret that signs file URLs; outside production it is created. */
export async function readFileSigningKey(
  config: Pick<Config, "fileSigningKey" | "dataFolder">,
): Promise<string> {
  return config.fileSigningKey ?? (await keepFileSigningKey(config.dataFolder));
}

/**
 * The secret that signs file URLs outside production. It is created once per data folder, and only
 * its owner can read it.
 */
async function keepFileSigningKey(dataFolder: string): Promise<string> {
  const path = join(dataFolder, "file-signing-key");
  await mkdir(dataFolder, { recursive: true });
  // With "wx", of two processes that start at the same time, one creates it and both read it.
  await writeFile(path, randomBytes(32).toString("hex"), { mode: 0o600, flag: "wx" }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
  return readFile(path, "utf8");
}
