import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { programFile } from "./program-file.js";

export interface RunningBin {
  child: ChildProcess;
  /** Output so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves with the exit code, or with null after a signal. */
  ended: Promise<number | null>;
}

/** Starts a program of `src/bin/` as its own process group, with only the given environment. */
export function startBin(
  name: string,
  options: { cwd: string; args?: string[]; env?: Record<string, string> },
): RunningBin {
  const child = spawn(process.execPath, [programFile(name), ...(options.args ?? [])], {
    cwd: options.cwd,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: options.cwd, ...options.env },
  });
  const written = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (written.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (written.stderr += text));
  return Object.assign(written, {
    child,
    ended: once(child, "close").then(([code]) => code as number | null),
  });
}

/** Runs a program of `src/bin/` until it exits. */
export async function runBin(
  ...args: Parameters<typeof startBin>
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const bin = startBin(...args);
  const code = await bin.ended;
  return { code, stdout: bin.stdout, stderr: bin.stderr };
}
