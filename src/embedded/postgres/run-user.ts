import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { EmbeddedError } from "../embedded-error.js";

export interface RunUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Returns undefined for the current user. Root needs another user, because PostgreSQL refuses to
 * run as root. That is the owner of existing data in `folder`, so that root and that user can take
 * turns; else `nobody`.
 */
export function chooseRunUser(folder: string, passwd = "/etc/passwd"): RunUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readUsers(passwd);
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  const user =
    users.find(({ uid }) => uid !== 0 && uid === owner) ??
    users.find(({ name }) => name === "nobody");
  if (user) return user;
  throw new EmbeddedError(
    "PostgreSQL does not run as root, and this system has no user nobody: start as " +
      "an ordinary user, or set DATABASE_URL and REDIS_URL.",
  );
}

function readUsers(passwd: string): RunUser[] {
  const lines = readFileSync(passwd, "utf8")
    .split("\n")
    .filter((line) => /^[^#:][^:]*:/.test(line));
  return lines.map((line) => {
    const [name = "", , uid, gid] = line.split(":");
    // Converted to unsigned, because macOS writes -2 for nobody.
    return { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
  });
}

/**
 * The path by which a program of `user`, started in `folder`, can reach that folder. When a parent
 * is closed to the user (root's home, 0700), it is "/proc/self/cwd". A process needs no permission
 * on the way to its working directory. So data in a closed home works without opening that home to
 * other users.
 */
export function reachablePath(folder: string, user: RunUser | undefined): string {
  const closed = closedParent(folder, user);
  if (closed === undefined) return folder;
  if (process.platform === "linux") return "/proc/self/cwd";
  throw new EmbeddedError(
    `The databases run as ${user?.name ?? "you"}, who may not enter ${closed}: move the ` +
      "project to another folder, or start as an ordinary user.",
  );
}

/**
 * The nearest parent of `path` that `user` may not enter, if any. Only modes are checked: a user
 * with access by an ACL gets the other path, which works too.
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
