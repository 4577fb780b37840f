import {
  access,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { storageRefusesFiles, storageUnavailable } from "../domain/errors.js";
import { createScratchFolder, type Storage } from "./storage.js";

/** Stores files in a folder, each with its key as the path. */
export async function createLocalStorage(folder: string): Promise<Storage> {
  const root = resolve(folder);
  // The scratch folder is under the same root, so that a rename copies no bytes.
  const scratch = await createScratchFolder(join(root, "scratch"));
  const pathOf = (key: string) => join(root, "kept", key);

  return {
    scratchFolder: scratch.path,
    clearScratch: (before) => scratch.clear(before),
    async put(key, path) {
      const target = pathOf(key);
      try {
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await sync(path);
        await rename(path, target);
        await sync(dirname(target));
      } catch (cause) {
        throw storageRefusesFiles(cause);
      }
    },
    async copy(from, to) {
      const target = pathOf(to);
      try {
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        // Both names share the bytes, which are never modified, and the modification time. It is
        // set to now, because the sweep must not remove a copy before its row exists.
        const now = new Date();
        await utimes(pathOf(from), now, now);
        await link(pathOf(from), target);
        await sync(dirname(target));
        return true;
      } catch (cause) {
        if (isMissing(cause)) return false;
        throw storageRefusesFiles(cause);
      }
    },
    async read(key) {
      try {
        return await readFile(pathOf(key));
      } catch (cause) {
        if (isMissing(cause)) return null;
        throw storageUnavailable(cause);
      }
    },
    has: (key) => isThere(pathOf(key)),
    // Returns the stored file itself; nothing is copied into the folder.
    localPath: async (key) => ((await isThere(pathOf(key))) ? pathOf(key) : null),
    presign: async () => null,
    list: () => walk(join(root, "kept")),
    async delete(keys) {
      await Promise.all(keys.map((key) => rm(pathOf(key), { force: true })));
    },
  };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function* walk(
  folder: string,
  prefix = "",
): AsyncGenerator<{ key: string; modifiedAt: Date }> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const key = prefix + entry.name;
    if (entry.isDirectory()) yield* walk(join(folder, entry.name), `${key}/`);
    else {
      // The file was deleted after the listing.
      const info = await stat(join(folder, entry.name)).catch(() => null);
      if (info) yield { key, modifiedAt: info.mtime };
    }
  }
}

/**
 * Syncs the bytes of a file or the entries of a folder: a power failure could undo a mere rename.
 */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
