import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { EmbeddedError } from "./embedded-error.js";
import { explainFailure } from "./processes/explain-failure.js";

/**
 * An error, in one sentence with its cure, for a `path` that could not be created, read or written.
 */
export function explainFolder(path: string, cause: unknown): EmbeddedError {
  const text = String(cause);
  const code = /ENOSPC|EDQUOT|EROFS|EACCES|EPERM/.exec(
    text.includes("ENOENT") ? whyNotWritable(path) : text,
  )?.[0];
  if (code !== undefined) {
    return explainFailure(
      { program: "The service", variable: "DATABASE_URL and REDIS_URL", folder: path },
      code,
      cause,
    );
  }
  return new EmbeddedError(
    `${path} cannot be used (${text}): remove what is in its place, or start in another folder.`,
    { cause },
  );
}

/**
 * Node reports ENOENT when a folder cannot be created on a read-only file system. So the nearest
 * existing folder is checked too.
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
