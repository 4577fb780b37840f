import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { EmbeddedError } from "./embedded-error.js";
import { explainFolder } from "./explain-folder.js";

interface Lock {
  /** Gives it back. */
  close(): Promise<void>;
}

/**
 * Takes the lock that is the file `file`, or throws `held(pid)` while a living process has it. A
 * lock whose process died, or whose pid now belongs to another one, is nobody's. Processes of other
 * containers are not seen.
 */
export async function takeLock(file: string, held: (pid: number) => string): Promise<Lock> {
  const mine = `${process.pid} ${processStart(process.pid) ?? ""}\n`;
  while (!(await made(file, mine))) {
    const theirs = await readWhole(file);
    const [pid, ...start] = theirs.trim().split(" ");
    if (theirs !== "" && processStart(Number(pid)) === start.join(" "))
      throw new EmbeddedError(held(Number(pid)));
    await discard(file, theirs);
  }
  return {
    async close() {
      if ((await readWhole(file)) === mine) await rm(file, { force: true });
    },
  };
}

async function made(file: string, content: string): Promise<boolean> {
  try {
    // Root and an ordinary user may take turns.
    await writeFile(file, content, { flag: "wx", mode: 0o644 });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw explainFolder(file, cause);
  }
}

/** A lock is empty for a moment while it is made. */
async function readWhole(file: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const content = await readFile(file, "utf8").catch(() => undefined);
    if (content === undefined || content.endsWith("\n") || tries === 20) return content ?? "";
    await sleep(10);
  }
}

/**
 * Of two who find the same dead lock, the slower one must not throw away the lock that the faster
 * one has made since.
 */
async function discard(file: string, dead: string): Promise<void> {
  const aside = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await rename(file, aside).catch(() => undefined);
  const taken = await readFile(aside, "utf8").catch(() => dead);
  await (taken === dead ? rm(aside, { force: true }) : rename(aside, file));
}

/**
 * When a process began, in words that only equal themselves: together with the pid they name one
 * process for ever. Undefined when there is none, or when it is a zombie, which answers signals but
 * does nothing any more.
 */
export function processStart(pid: number): string | undefined {
  return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may itself hold parentheses and blanks, so count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function fromPs(pid: number): string | undefined {
  const { stdout } = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
    encoding: "utf8",
  });
  const [state, ...start] = (stdout ?? "").trim().split(/\s+/);
  return !state || state.startsWith("Z") ? undefined : start.join(" ");
}
