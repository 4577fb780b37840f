import { readFileSync, readdirSync } from "node:fs";

/**
 * Running processes of sessions; the id of a session is the id of its first process. Works on Linux
 * only; returns an empty list elsewhere.
 */
export function processesOfSession(leaders: readonly number[]): { pid: number; command: string }[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The name is in parentheses and may contain any character. It is followed by state,
        // parent, group and session.
        const [state, , , session] = (
          readFileSync(`/proc/${name}/stat`, "utf8").split(") ").at(-1) ?? ""
        ).split(" ");
        if (state === "Z" || !leaders.includes(Number(session))) return [];
        return [
          {
            pid: Number(name),
            command: readFileSync(`/proc/${name}/cmdline`, "utf8")
              .split("\0")
              .slice(-2)
              .join(" ")
              .trim(),
          },
        ];
      } catch {
        return []; // The process has ended.
      }
    });
}
