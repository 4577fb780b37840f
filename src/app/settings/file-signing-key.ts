import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The secret that signs file URLs outside production: made once for a data folder, for its owner's
 * eyes only.
 */
export async function keepFileSigningKey(dataFolder: string): Promise<string> {
  const path = join(dataFolder, "file-signing-key");
  await mkdir(dataFolder, { recursive: true });
  // "wx": of two that start at once, one makes it and both read it.
  await writeFile(path, randomBytes(32).toString("hex"), { mode: 0o600, flag: "wx" }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
  return readFile(path, "utf8");
}
