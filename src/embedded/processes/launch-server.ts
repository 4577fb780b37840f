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
  /** The data folder, in which the server works. */
  folder: string;
  user: RunUser | undefined;
  logFile: string;
  /** How it is asked to end; each step but the last one may fail. */
  steps: StopStep[];
  isReady(pid: number): boolean | Promise<boolean>;
  signal: AbortSignal;
}

/** Recovery after a crash may take a while, and then waiting is right. */
const READY_WITHIN_MS = 120_000;

const LOG_BYTES_KEPT = 10 * 1024 * 1024;

/**
 * Starts a server in a session of its own and waits until it is ready; throws a sentence when it is
 * not to be.
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
    exited.catch(() => undefined); // An error of spawning, which is thrown below.
    await once(child, "spawn");
    return { pid: child.pid ?? 0, exited, stop: () => stop(child, exited, steps) };
  } catch (error) {
    throw explainFailure(attempt, String(error), error);
  }
}

async function proveReady(plan: ServerPlan, running: Running, said: () => string): Promise<void> {
  let ended: string | undefined;
  const watch = running.exited.then((how) => (ended = how));
  try {
    const ready = await waitUntil(() => ended ?? plan.isReady(running.pid), {
      deadlineMs: READY_WITHIN_MS,
      signal: plan.signal,
    });
    if (ready === true) return;
  } catch (error) {
    await running.stop();
    throw error;
  }
  if (ended === undefined) await running.stop();
  throw explainFailure(plan.attempt, `${said()}\nended with ${await watch}`);
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
 * Appends; what is longer than it is useful becomes `<file>.1`. `from` is where this launch begins
 * to write.
 */
function openLog({ logFile: file, user, attempt }: ServerPlan): { fd: number; from: number } {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_KEPT)
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
