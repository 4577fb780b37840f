import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import type { RunUser } from "../postgres/run-user.js";

export interface ProgramResult {
  /** 0 when all went well; null when it could not be run at all or was ended by a signal. */
  code: number | null;
  /** Of the system, when it could not be run: "ENOENT", "EACCES", … */
  error?: string;
  /** All that it printed, and how it ended when it ended badly. */
  output: string;
}

/**
 * Of the servers and their tools: nothing of ours (PGDATA, LANG of a locale that is not installed,
 * …) may reach them.
 */
const ENVIRONMENT = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" };

/**
 * Options that run a program as `user`, in a session of its own, so that a Ctrl-C in the terminal
 * does not reach it.
 */
export function programOptions(user: RunUser | undefined, cwd?: string): SpawnOptions {
  // spawn() wants signed numbers where chown() wants unsigned ones.
  const as = user && { uid: user.uid | 0, gid: user.gid | 0 };
  return { ...as, ...(cwd !== undefined && { cwd }), env: ENVIRONMENT, detached: true };
}

/** Runs a program to its end. Never throws: how it went is in the result. */
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
