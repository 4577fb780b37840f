import { readFileSync, readdirSync } from "node:fs";

/**
 * What runs in one of these sessions, each of which is named after its first process. Linux only;
 * nothing elsewhere.
 */
export function processesOfSession(leaders: readonly number[]): { pid: number; command: string }[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // After the name, which stands in parentheses and may hold any character: state, parent,
        // group, session.
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
        return []; // Ended meanwhile.
      }
    });
}
