import type { Readable } from "node:stream";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** A part of a file: bytes `start` to `end`, both included. */
interface ByteRange {
  start: number;
  end: number;
}

/** The storage answers, but a file did not come whole in the time that it may take. */
export class SlowDownloadError extends Error {
  override readonly name = "SlowDownloadError";
}

/** How a file is to be presented to whoever fetches it. */
interface Presentation {
  mimeType: string;
  filename: string;
}

/**
 * Where bytes live, by key. Keys are the service's own, used once and never made of anything that a
 * client sent. Bytes come before the row that names them, so what no row names is left over, and
 * never the other way round. Where the storage cannot be reached, everything here throws
 * ServiceUnavailableError.
 */
export interface Storage {
  /** A folder on the disk for files on their way in; what is `put` must come from there. */
  readonly scratchFolder: string;
  /**
   * Removes what lies in the scratch folder since before this instant, left by processes that were
   * killed; returns how much.
   */
  clearScratch(before: Date): Promise<number>;
  /**
   * Takes the file at `path` over: it is durable under its key, and gone from `path`, when this
   * resolves.
   */
  put(key: string, path: string): Promise<void>;
  /**
   * The same bytes under another key, each to be deleted without the other; false when there is
   * nothing under `from`.
   */
  copy(from: string, to: string): Promise<boolean>;
  has(key: string): Promise<boolean>;
  /** Null when there is nothing under this key. */
  read(key: string, range?: ByteRange): Promise<Readable | null>;
  /**
   * The path of a local file with these bytes, which must not be written to; null when there is
   * nothing under this key. Where the bytes live elsewhere it is a copy in `folder`, which is the
   * caller's to remove. Throws SlowDownloadError when that takes too long although bytes come all
   * the time.
   */
  localPath(key: string, folder: string): Promise<string | null>;
  /**
   * A URL that leads to the bytes by itself, for an hour to an hour and a quarter; null where the
   * service has to serve them. Asks nobody whether they are there.
   */
  presign(key: string, presentation: Presentation): Promise<string | null>;
  /** Everything that is kept, in no order. */
  list(): AsyncIterable<{ key: string; modifiedAt: Date }>;
  /** What is not there is no fault. */
  delete(keys: readonly string[]): Promise<void>;
}

interface ScratchFolder {
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
