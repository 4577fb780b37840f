import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

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
