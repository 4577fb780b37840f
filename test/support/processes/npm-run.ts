import { spawn, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readServiceFile, type ServiceFile } from "../../../src/app/local-service/service-file.js";
import { eventually } from "../runner/eventually.js";

const PARTS = [
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "scripts",
  "src",
  "dist",
  "drizzle",
  "examples",
  "client",
];
const FREE_PORTS = { HOST: "127.0.0.1", PORT: "0", WORKER_PORT: "0" };

/** Reason why tests that look for leftover processes are skipped; false if /proc exists. */
export const NO_PROC = existsSync("/proc/self/stat")
  ? false
  : "/proc does not exist on this system, so this test did not run";

/**
 * A copy of the project, in the state of a freshly compiled checkout. It has no tests, because the
 * compiler would check them after each change.
 */
export function copyProject(): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "photo-service-npm-")));
  // PostgreSQL may run as another user.
  chmodSync(path, 0o755);
  const filter = (from: string) => !/node_modules|^dist\/(test|bench)/.test(from);
  for (const part of PARTS.filter((name) => existsSync(name))) {
    cpSync(part, join(path, part), { recursive: true, preserveTimestamps: true, filter });
  }
  symlinkSync(resolve("node_modules"), join(path, "node_modules"));
  writeFileSync(join(path, "dist/.built"), "");
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Ids of the processes whose working directory is in this folder, from Linux's /proc. */
export function processesBelow(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
      } catch {
        return false;
      }
    });
}

export interface NpmRun {
  npm: ChildProcess;
  /** Output so far, stdout and stderr together. */
  readonly output: string;
  /** Resolves when the service has written its service file and printed its address. */
  ready(): Promise<ServiceFile>;
}

/** Runs `npm run <script>` like a terminal: npm and its children are one process group. */
export function runNpm(
  script: string,
  { cwd, args = [], env = {} }: { cwd: string; args?: string[]; env?: Record<string, string> },
): NpmRun {
  const all = { PATH: process.env["PATH"], HOME: cwd, ...FREE_PORTS, ...env };
  const options = ["--no-update-notifier", "--offline"];
  const npm = spawn("npm", ["run", script, ...options, "--", ...args], {
    cwd,
    env: all,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  return {
    npm,
    get output() {
      return output;
    },
    ready: () =>
      eventually(
        "the service is ready",
        async () => {
          const service = await readServiceFile(join(cwd, ".data"));
          return service !== null && output.includes(service.console) && service;
        },
        180_000,
      ),
  };
}

/** Sends SIGINT to the whole process group, like Ctrl-C in a terminal. */
export function pressCtrlC({ npm }: NpmRun): void {
  process.kill(-(npm.pid ?? 0), "SIGINT");
}

/** Fails if npm or another process of the folder still runs after 20 s. */
export async function endedBelow(folder: string, { npm }: NpmRun): Promise<void> {
  const startedAt = Date.now();
  const isOver = () => npm.exitCode !== null || npm.signalCode !== null;
  await eventually("npm has ended", isOver, 20_000);
  const leftMs = 20_000 - (Date.now() - startedAt);
  await eventually("no process is left", () => processesBelow(folder).length === 0, leftMs);
}

/** Kills the remaining processes of the folder, so that a failed test leaves none behind. */
export async function endAllBelow(folder: string): Promise<void> {
  for (const pid of processesBelow(folder)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // The process has already ended.
    }
  }
  await eventually(
    "all processes of the folder have ended",
    () => processesBelow(folder).length === 0,
  );
}
