import { statSync } from "node:fs";
import { dirname } from "node:path";
import { EmbeddedError } from "../embedded-error.js";
import type { RunUser } from "./run-user.js";

/**
 * The name by which a program of `user`, started in `folder`, finds that folder: its path; but
 * where a parent is closed to the user (root's home, 0700), "/proc/self/cwd". The folder a process
 * stands in needs no permission on the way to it, so data in a closed home works without opening
 * that home to anybody.
 */
export function reachablePath(folder: string, user: RunUser | undefined): string {
  const closed = closedParent(folder, user);
  if (closed === undefined) return folder;
  if (process.platform === "linux") return "/proc/self/cwd";
  throw new EmbeddedError(
    `The databases run as ${user?.name ?? "you"}, who may not pass ${closed}: move the ` +
      "project elsewhere, or start as an ordinary user.",
  );
}

/**
 * The nearest parent of `path` that `user` may not pass, if any. Modes only: who has access by an
 * ACL takes the other name, which works too.
 */
export function closedParent(path: string, user: RunUser | undefined): string | undefined {
  if (!user) return undefined;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const groupShift = gid === user.gid ? 3 : 0;
    const shift = uid === user.uid ? 6 : groupShift;
    if (((mode >> shift) & 1) === 0) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
