import { createReadStream } from "node:fs";
import { access, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { once } from "node:events";
import { ServiceUnavailableError } from "../errors.js";
import type { Storage } from "./storage.js";

/** Files below a folder, each under its key as a path. */
export async function createLocalStorage(folder: string): Promise<Storage> {
  const root = resolve(folder);
  // Below the same root, so that a rename moves no bytes.
  const scratchFolder = join(root, "scratch");
  await mkdir(scratchFolder, { recursive: true, mode: 0o700 });
  const pathOf = (key: string) => join(root, "kept", key);

  return {
    scratchFolder,
    async clearScratch(before) {
      let removed = 0;
      for (const name of await readdir(scratchFolder)) {
        const path = join(scratchFolder, name);
        const info = await stat(path).catch(() => null);
        if (!info || info.mtime >= before) continue;
        await rm(path, { recursive: true, force: true });
        removed++;
      }
      return removed;
    },
    async put(key, path) {
      const target = pathOf(key);
      try {
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await sync(path);
        await rename(path, target);
        await sync(dirname(target));
      } catch (cause) {
        throw Object.assign(new ServiceUnavailableError("The storage takes nothing at the moment; try again later."), { cause });
      }
    },
    async read(key, range) {
      const stream = createReadStream(pathOf(key), range);
      try {
        await once(stream, "open");
        return stream;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async localPath(key) {
      const path = pathOf(key);
      return access(path).then(
        () => path,
        () => null,
      );
    },
    list: () => walk(join(root, "kept")),
    async delete(keys) {
      await Promise.all(keys.map((key) => rm(pathOf(key), { force: true })));
    },
  };
}

async function* walk(folder: string, prefix = ""): AsyncGenerator<{ key: string; modifiedAt: Date }> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const key = prefix + entry.name;
    if (entry.isDirectory()) yield* walk(join(folder, entry.name), `${key}/`);
    else {
      // Gone in the meantime: then it is none that is kept.
      const info = await stat(join(folder, entry.name)).catch(() => null);
      if (info) yield { key, modifiedAt: info.mtime };
    }
  }
}

/** Of a file its bytes, of a folder its entries: a rename alone may be lost with the power. */
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
