import { chmod, mkdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { explainFolder } from "./explain-folder.js";
import { takeLock } from "./take-lock.js";

export interface DataFolder {
  /** Absolute path, without symbolic links. */
  path: string;
  /** Releases the lock, so that another run can use the folder. */
  close(): Promise<void>;
}

/**
 * Creates the data folder or reuses an existing one, for one run at a time. Other users may enter
 * it but not list it (0711), because the databases in it may run as another user.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = await make(resolve(path));
  const lock = await takeLock(
    join(folder, "service.lock"),
    (pid) =>
      `The service already runs here as process ${pid} (data in ${folder}): stop it ` +
      `first (Ctrl-C there, or kill ${pid}).`,
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
