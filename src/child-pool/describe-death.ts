import { ChildStoppedError } from "./child-stopped-error.js";

/** How a process ended, and the end of what it wrote to stderr. */
export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

// Said by V8, by libstdc++, by glib and by Node when an allocation fails; the process then dies of
// SIGABRT or SIGTRAP.
const OUT_OF_MEMORY =
  /out of memory|std::bad_alloc|failed to allocate|allocation failed|insufficient memory/i;

/** The error of a task whose child died by itself. */
export function describeDeath({ code, signal, stderr }: Death): ChildStoppedError {
  const how = signal === null ? `exited with code ${code ?? "unknown"}` : `died of ${signal}`;
  if (OUT_OF_MEMORY.test(stderr))
    return new ChildStoppedError(
      "memory",
      `The child process ran out of its memory limit and ${how}.`,
    );
  if (signal === "SIGKILL")
    return new ChildStoppedError(
      "killed",
      "The child process was killed from outside, most likely for want of memory.",
    );
  const said = firstFault(stderr);
  return new ChildStoppedError(
    "crashed",
    `The child process ${how}${said === null ? "" : `: ${said}`}.`,
  );
}

function firstFault(stderr: string): string | null {
  const lines = stderr.split("\n").map((line) => line.trim());
  return lines.find((line) => /error/i.test(line)) ?? lines.findLast((line) => line !== "") ?? null;
}
