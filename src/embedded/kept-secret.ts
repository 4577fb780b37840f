import { randomBytes } from "node:crypto";
import { chmod, chown, readFile, writeFile } from "node:fs/promises";
import { explainFolder } from "./explain-folder.js";
import type { RunUser } from "./postgres/run-user.js";

/**
 * The secret kept in `file`, made at first sight; readable by `user` (undefined: us) alone.
 * URL-safe.
 */
export async function keptSecret(file: string, user?: RunUser): Promise<string> {
  try {
    await writeFile(file, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" }).catch(
      ignoreExisting,
    );
    if (user) await chown(file, user.uid, user.gid);
    await chmod(file, 0o600);
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw explainFolder(file, cause);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
