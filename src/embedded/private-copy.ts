import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closedParent, type RunUser } from "./postgres/run-user.js";

export interface CopyOptions {
  source: string;
  /** Name of the copy. It contains the version, because a complete copy is reused. */
  name: string;
  user: RunUser | undefined;
  /** The first folder to try. */
  beside: string;
  keep: (path: string) => boolean;
  /** True when the copy works there: some file systems forbid running programs. */
  accept: (copy: string) => Promise<boolean>;
}

/**
 * Copies programs to a place where `user` can run them, when node_modules is closed or read-only.
 * Returns undefined when no place works. It never copies data, so a lost copy can be created again.
 */
export async function privateCopy(options: CopyOptions): Promise<string | undefined> {
  const { source, name, user, beside, keep, accept } = options;
  for (const place of [
    beside,
    ...(user ? ["/var/lib/photo-service"] : []),
    join(tmpdir(), `photo-service-${process.getuid?.() ?? "me"}`),
  ]) {
    const copy = join(place, name);
    if (usable(place, user) && copied(source, copy, keep) && (await accept(copy))) return copy;
  }
  return undefined;
}

/**
 * In a shared folder, another user may have created the place: only a folder of the current user is
 * trusted.
 */
function usable(place: string, user: RunUser | undefined): boolean {
  try {
    mkdirSync(place, { recursive: true, mode: 0o711 });
    const { uid, mode } = lstatSync(place);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return false;
    if (user) chmodSync(place, 0o711);
    return closedParent(join(place, "any"), user) === undefined;
  } catch {
    return false;
  }
}

function copied(source: string, copy: string, keep: (path: string) => boolean): boolean {
  try {
    if (isWhole(source, copy, keep)) return true;
    const half = `${copy}.${process.pid}`;
    cpSync(source, half, { recursive: true, filter: keep, verbatimSymlinks: true });
    openTree(half);
    rmSync(copy, { recursive: true, force: true });
    renameSync(half, copy);
    return true;
  } catch {
    return false;
  }
}

/** Systems delete old temporary files one by one, so every file of the copy is checked. */
function isWhole(source: string, copy: string, keep: (path: string) => boolean): boolean {
  return filesOf(source)
    .filter(keep)
    .every((file) => {
      const stats = statSync(join(copy, file.slice(source.length)), { throwIfNoEntry: false });
      return stats !== undefined && stats.size === statSync(file).size;
    });
}

/** A strict umask during installation would also close the copy to other users. */
function openTree(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) chmodSync(join(entry.parentPath, entry.name), 0o755);
  }
}

function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
