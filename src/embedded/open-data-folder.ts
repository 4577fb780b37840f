import { chmod, mkdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { explainFolder } from "./explain-folder.js";
import { takeLock } from "./take-lock.js";

export interface DataFolder {
  /** Absolute, without symbolic links. */
  path: string;
  /** Lets another run have it. */
  close(): Promise<void>;
}

/**
 * Makes the folder for all that a run keeps, or takes the one that is there; one run at a time.
 * Others may pass it but not list it (0711), because the databases in it may run as another user.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = await make(resolve(path));
  const lock = await takeLock(
    join(folder, "service.lock"),
    (pid) =>
      `The service already runs here as process ${pid} (data in ${folder}): stop that ` +
      `one first (Ctrl-C there, or kill ${pid}).`,
  );
  return { path: folder, close: lock.close };
}

async function make(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    if ((await stat(path)).uid === process.getuid?.()) await chmod(path, 0o711);
    return await realpath(path);
  } catch (cause) {
    throw explainFolder(path, cause);
  }
}
