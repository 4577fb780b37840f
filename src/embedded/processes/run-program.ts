import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import type { RunUser } from "../postgres/run-user.js";

export interface ProgramResult {
  /** The exit code; null when the program could not run or a signal ended it. */
  code: number | null;
  /** The system's error code when the program could not run: "ENOENT", "EACCES", … */
  error?: string;
  /** Everything that it printed, and the signal that ended it. */
  output: string;
}

/**
 * The environment of the servers and their tools. Variables of this process (PGDATA, LANG of a
 * missing locale, …) must not reach them.
 */
const ENVIRONMENT = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" };

/**
 * Options that run a program as `user`, in its own session, so that Ctrl-C in the terminal does not
 * reach it.
 */
export function programOptions(user: RunUser | undefined, cwd?: string): SpawnOptions {
  // spawn() needs signed numbers, whereas chown() needs unsigned ones.
  const as = user && { uid: user.uid | 0, gid: user.gid | 0 };
  return { ...as, ...(cwd !== undefined && { cwd }), env: ENVIRONMENT, detached: true };
}

/** Runs a program to its end. Never throws: the result contains errors. */
export async function runProgram(
  command: string,
  args: string[],
  options: { user?: RunUser | undefined; cwd?: string; deadlineMs?: number } = {},
): Promise<ProgramResult> {
  const { user, cwd, deadlineMs = 60_000 } = options;
  try {
    const child = spawn(command, args, {
      ...programOptions(user, cwd),
      stdio: ["ignore", "pipe", "pipe"],
    });
    return await resultOf(child, AbortSignal.timeout(deadlineMs));
  } catch (error) {
    return {
      code: null,
      error: (error as NodeJS.ErrnoException).code ?? "ERROR",
      output: String(error),
    };
  }
}

function resultOf(child: ChildProcess, deadline: AbortSignal): Promise<ProgramResult> {
  const kill = (): boolean => child.kill("SIGKILL");
  deadline.addEventListener("abort", kill);
  return new Promise<ProgramResult>((resolve, reject) => {
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve({ code, output: signal ? `${output}\nended by ${signal}` : output }),
    );
  }).finally(() => deadline.removeEventListener("abort", kill));
}
