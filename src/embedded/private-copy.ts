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
  /**
   * Names the copy; holds the version, because a copy that is there and whole is taken as it is.
   */
  name: string;
  user: RunUser | undefined;
  /** The first place that is tried. */
  beside: string;
  keep: (path: string) => boolean;
  /** Whether the copy can be used from there: a place may forbid to run programs. */
  accept: (copy: string) => Promise<boolean>;
}

/**
 * Copies programs to a place from which `user` can run them, for when node_modules lies in a closed
 * folder or cannot be written. Undefined when there is no such place. Only the programs are copied,
 * never data: a lost copy is made again.
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
 * In a folder that all may write, somebody else may have been there first: only our own folder is
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

/** Temporary folders are swept file by file, so that a copy is there is not enough. */
function isWhole(source: string, copy: string, keep: (path: string) => boolean): boolean {
  return filesOf(source)
    .filter(keep)
    .every((file) => {
      const twin = statSync(join(copy, file.slice(source.length)), { throwIfNoEntry: false });
      return twin !== undefined && twin.size === statSync(file).size;
    });
}

/** What was installed under a strict umask is closed to others, and so would its copy be. */
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
