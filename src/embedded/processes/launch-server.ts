import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from "node:fs";
import { explainFailure, type Attempt } from "./explain-failure.js";
import { howEnded, type Running } from "./keep-running.js";
import { programOptions } from "./run-program.js";
import type { RunUser } from "../postgres/run-user.js";
import type { StopStep } from "./processes-in.js";
import { waitUntil } from "./wait-until.js";

export interface ServerPlan {
  attempt: Attempt;
  command: string;
  args: string[];
  /** The data folder, which is the server's working directory. */
  folder: string;
  user: RunUser | undefined;
  logFile: string;
  /** The signals to stop it; each step except the last may fail. */
  steps: StopStep[];
  isReady(pid: number): boolean | Promise<boolean>;
  signal: AbortSignal;
}

/** The limit is long, because recovery after a crash takes time. */
const READY_TIMEOUT_MS = 120_000;

const MAX_LOG_BYTES = 10 * 1024 * 1024;

/**
 * Starts a server in its own session and waits until it is ready; else throws EmbeddedError with
 * one sentence.
 */
export async function launchServer(plan: ServerPlan): Promise<Running> {
  const log = openLog(plan);
  try {
    const running = await spawnServer(plan, log.fd);
    await proveReady(plan, running, () => readFileSync(plan.logFile).subarray(log.from).toString());
    return running;
  } finally {
    closeSync(log.fd);
  }
}

async function spawnServer(
  { attempt, command, args, folder, user, steps }: ServerPlan,
  fd: number,
): Promise<Running> {
  try {
    const child = spawn(command, args, {
      ...programOptions(user, folder),
      stdio: ["ignore", fd, fd],
    });
    const exited = howEnded(child);
    exited.catch(() => undefined); // once() below throws errors of spawning.
    await once(child, "spawn");
    return { pid: child.pid ?? 0, exited, stop: () => stop(child, exited, steps) };
  } catch (error) {
    throw explainFailure(attempt, String(error), error);
  }
}

async function proveReady(
  plan: ServerPlan,
  running: Running,
  readOutput: () => string,
): Promise<void> {
  let ended: string | undefined;
  const watch = running.exited.then((how) => (ended = how));
  try {
    const ready = await waitUntil(() => ended ?? plan.isReady(running.pid), {
      deadlineMs: READY_TIMEOUT_MS,
      signal: plan.signal,
    });
    if (ready === true) return;
  } catch (error) {
    await running.stop();
    throw error;
  }
  if (ended === undefined) await running.stop();
  throw explainFailure(plan.attempt, `${readOutput()}\nended with ${await watch}`);
}

async function stop(
  child: ChildProcess,
  exited: Promise<string>,
  steps: StopStep[],
): Promise<void> {
  let ended = false;
  void exited.then(() => (ended = true));
  for (const { signal, waitMs } of steps) {
    child.kill(signal);
    if (await waitUntil(() => ended, { deadlineMs: waitMs })) return;
  }
}

/**
 * Opens the log for appending; a log that is too long becomes `<file>.1`. `from` is where the
 * output of this launch begins.
 */
function openLog({ logFile: file, user, attempt }: ServerPlan): { fd: number; from: number } {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES)
      renameSync(file, `${file}.1`);
    const fd = openSync(
      file,
      constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW,
      0o600,
    );
    if (user) fchownSync(fd, user.uid, user.gid);
    return { fd, from: fstatSync(fd).size };
  } catch (error) {
    throw explainFailure(attempt, String(error), error);
  }
}
