import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

export interface ScratchFolder {
  readonly path: string;
  /** Removes what lies there since before this instant; returns how much. */
  clear(before: Date): Promise<number>;
}

/** A folder for files on their way, for this system user's eyes only. */
export async function createScratchFolder(path: string): Promise<ScratchFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return {
    path,
    async clear(before) {
      let removed = 0;
      for (const name of await readdir(path)) {
        const info = await stat(join(path, name)).catch(() => null);
        if (!info || info.mtime >= before) continue;
        await rm(join(path, name), { recursive: true, force: true });
        removed++;
      }
      return removed;
    },
  };
}
