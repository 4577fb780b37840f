import { chmod, lchown, mkdir, readdir, stat, chown, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { EmbeddedError } from "./embedded-error.js";
import { explainFolder } from "./explain-folder.js";
import type { RunUser } from "./postgres/run-user.js";

/**
 * Creates `path`, or reuses it, as a folder of `user` (undefined: the current user) with exactly
 * this `mode`.
 */
export async function makePrivateFolder(
  path: string,
  { user, mode }: { user?: RunUser | undefined; mode: number },
): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    if (user && (await stat(path)).uid !== user.uid) await giveTree(path, user);
    await chmod(path, mode);
  } catch (cause) {
    throw explainFolder(path, cause);
  }
  if (((await stat(path)).mode & 0o777) === mode) return;
  throw new EmbeddedError(
    `The file system of ${path} stores no modes: move the project to a local disk, or set ` +
      "DATABASE_URL and REDIS_URL.",
  );
}

/** Data that root copied belongs to root, so it is given to the server's user. */
async function giveTree(path: string, { uid, gid }: RunUser): Promise<void> {
  await lchown(path, uid, gid);
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    await lchown(join(entry.parentPath, entry.name), uid, gid);
  }
}

/**
 * The secret in `file`, which is created when it is missing. It is URL-safe, and only `user`
 * (undefined: the current user) can read it.
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
