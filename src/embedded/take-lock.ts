import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { EmbeddedError } from "./embedded-error.js";
import { explainFolder } from "./explain-folder.js";

interface Lock {
  /** Releases the lock. */
  close(): Promise<void>;
}

/**
 * Takes the lock file `file`, or throws `held(pid)` while a running process has it. A lock is free
 * when its process has ended or its pid belongs to another process. Processes of other containers
 * are not visible.
 */
export async function takeLock(file: string, held: (pid: number) => string): Promise<Lock> {
  const ownContent = `${process.pid} ${processStart(process.pid) ?? ""}\n`;
  while (!(await create(file, ownContent))) {
    const content = await readWhole(file);
    const [pid, ...start] = content.trim().split(" ");
    if (content !== "" && processStart(Number(pid)) === start.join(" "))
      throw new EmbeddedError(held(Number(pid)));
    await discard(file, content);
  }
  return {
    async close() {
      if ((await readWhole(file)) === ownContent) await rm(file, { force: true });
    },
  };
}

async function create(file: string, content: string): Promise<boolean> {
  try {
    // The mode lets root and an ordinary user take turns.
    await writeFile(file, content, { flag: "wx", mode: 0o644 });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw explainFolder(file, cause);
  }
}

/** A new lock file is empty for a moment. */
async function readWhole(file: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const content = await readFile(file, "utf8").catch(() => undefined);
    if (content === undefined || content.endsWith("\n") || tries === 20) return content ?? "";
    await sleep(10);
  }
}

/**
 * When two processes find the same dead lock, the slower one must not remove the new lock of the
 * faster one.
 */
async function discard(file: string, dead: string): Promise<void> {
  const aside = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await rename(file, aside).catch(() => undefined);
  const taken = await readFile(aside, "utf8").catch(() => dead);
  await (taken === dead ? rm(aside, { force: true }) : rename(aside, file));
}

/**
 * The start time of a process as a text that is only good for comparison: together with the pid it
 * identifies one process. Undefined when there is none, or for a zombie, which answers signals but
 * does nothing.
 */
export function processStart(pid: number): string | undefined {
  return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may contain parentheses and blanks, so fields are counted after the
    // last one.
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
