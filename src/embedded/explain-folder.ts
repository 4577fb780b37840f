import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { EmbeddedError } from "./embedded-error.js";
import { explainFailure } from "./processes/explain-failure.js";

/** One sentence with its cure for a `path` of ours that could not be made, read or written. */
export function explainFolder(path: string, cause: unknown): EmbeddedError {
  const said = String(cause);
  const known = /ENOSPC|EDQUOT|EROFS|EACCES|EPERM/.exec(
    said.includes("ENOENT") ? whyNotWritable(path) : said,
  )?.[0];
  if (known !== undefined) {
    return explainFailure(
      { program: "The service", variable: "DATABASE_URL and REDIS_URL", folder: path },
      known,
      cause,
    );
  }
  return new EmbeddedError(
    `${path} cannot be used (${said}): make room for it, or start in another folder.`,
    { cause },
  );
}

/**
 * Node says ENOENT when a folder cannot be made on a read-only file system, so the nearest one that
 * is there is asked too.
 */
function whyNotWritable(path: string): string {
  let folder = dirname(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return "";
  } catch (error) {
    return String(error);
  }
}
