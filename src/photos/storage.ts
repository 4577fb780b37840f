import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { storageRefusesFiles } from "../domain/errors.js";

/** The storage answers, but a file was not complete within its time limit. */
export class SlowDownloadError extends Error {
  override readonly name = "SlowDownloadError";
}

/** Response headers for a file. */
interface Presentation {
  mimeType: string;
  filename: string;
}

/**
 * Stores bytes by key. The service creates the keys; each is used once and contains nothing that a
 * client sent. Bytes are stored before the row that names them. So a crash can leave bytes without
 * a row, but never a row without bytes.
 *
 * All methods throw ServiceUnavailableError while the storage is unavailable.
 */
export interface Storage {
  /** Local folder for incoming files; `put` takes files from this folder only. */
  readonly scratchFolder: string;
  /**
   * Removes scratch files from before this instant, left by killed processes; returns their number.
   */
  clearScratch(before: Date): Promise<number>;
  /**
   * Moves the file at `path` into the storage. When this resolves, it is durable under its key and
   * removed from `path`. An aborted signal stops the upload of a large file.
   */
  put(key: string, path: string, signal?: AbortSignal): Promise<void>;
  /**
   * Copies the bytes to another key; each can be deleted without the other. Returns false if `from`
   * does not exist.
   */
  copy(from: string, to: string): Promise<boolean>;
  has(key: string): Promise<boolean>;
  /** Returns the bytes of a small file, never a part of them; null if the key does not exist. */
  read(key: string): Promise<Buffer | null>;
  /**
   * Returns the path of a local file with these bytes, or null if the key does not exist. The file
   * must not be modified. A remote file is copied into `folder`, and the caller removes the copy.
   * Throws SlowDownloadError if the download takes too long although bytes keep arriving.
   */
  localPath(key: string, folder: string): Promise<string | null>;
  /**
   * Returns a direct URL to the bytes, valid until `expiresAt` (default: `urlExpiry()`), or null if
   * the service must serve them. It does not check that the key exists.
   */
  presign(key: string, presentation: Presentation, expiresAt?: Date): Promise<string | null>;
  /** Lists everything that is stored, in no order. */
  list(): AsyncIterable<{ key: string; modifiedAt: Date }>;
  /** Deletes keys; a missing key is not an error. */
  delete(keys: readonly string[]): Promise<void>;
}

interface ScratchFolder {
  readonly path: string;
  /** Removes files from before this instant; returns their number. */
  clear(before: Date): Promise<number>;
}

/** Creates a folder for incoming files that only this system user can read. */
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

/** Runs `work` with a new folder, which is removed afterwards. */
export async function withScratchFolder<T>(
  { scratchFolder }: Pick<Storage, "scratchFolder">,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(scratchFolder, "work-")).catch((cause: unknown) => {
    throw storageRefusesFiles(cause);
  });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
