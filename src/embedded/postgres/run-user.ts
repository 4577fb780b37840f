import { readFileSync, statSync } from "node:fs";
import { EmbeddedError } from "../embedded-error.js";

/** The user a server runs as. */
export interface RunUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Undefined: as ourselves. Root needs somebody else, because PostgreSQL refuses to run as root: the
 * owner of the data that `folder` already holds, so that root and that user can take turns; else
 * `nobody`.
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
    "PostgreSQL does not run as root and there is no user nobody to run it as: start as " +
      "an ordinary user, or set DATABASE_URL and REDIS_URL.",
  );
}

function readUsers(passwd: string): RunUser[] {
  const lines = readFileSync(passwd, "utf8")
    .split("\n")
    .filter((line) => /^[^#:][^:]*:/.test(line));
  return lines.map((line) => {
    const [name = "", , uid, gid] = line.split(":");
    // Unsigned: macOS writes -2 for nobody.
    return { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
  });
}
