import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { Logger } from "../runtime/logger.js";
import { childMessage } from "./child-message.js";
import { ChildStoppedError, describeDeath } from "./exit-reason.js";
import { startChildWork, type ChildWork, type RunOptions } from "./child-work.js";

/**
 * The shell writes this to stderr when the system refuses the memory limit; the child runs anyway.
 */
const UNCAPPED = "photo-child: no memory limit";

// `ulimit -d` lets a decode that needs too much memory fail with an error. `ulimit -v` would crash
// V8 and WebAssembly, which reserve far more than they use. With oom_score_adj, the kernel kills a
// child before the service when memory is short. With pdeathsig, the kernel kills the child with
// its parent, even while the child computes and cannot see the closed channel.
const SCRIPT = `ulimit -c 0
ulimit -d "$1" 2>/dev/null || echo '${UNCAPPED}' >&2
shift
{ echo 900 > /proc/self/oom_score_adj; } 2>/dev/null
setpriv --pdeathsig KILL true 2>/dev/null && exec setpriv --pdeathsig KILL "$0" "$@"
exec "$0" "$@"`;

// The environment is not inherited, because a child needs no secret of its parent. Beware: a child
// that a photo has compromised can still find the secrets. It runs as the parent's user, who may
// read /proc/<parent>/environ and the parent's files. Only a separate user or a sandbox would
// prevent that. Two arenas keep glibc from holding memory per thread (268 to 145 MB after 900
// thumbnails).
const ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  MALLOC_ARENA_MAX: "2",
  LANG: "C.UTF-8",
};

/**
 * Memory that V8 reserves for code and hardly uses; from Node 24 on it counts as data, which is
 * limited.
 */
const RESERVED_BYTES = Number.parseInt(process.versions.node) >= 24 ? 512 * 1024 ** 2 : 0;

/** True when this system can limit the memory of children. */
export const canCap = process.platform === "linux";

/**
 * Starts Node on `entry` with an IPC channel, a pipe for stderr, no other input or output, and a
 * memory limit.
 */
function spawnChild(entry: URL, memoryLimitBytes: number): ChildProcess {
  // JavaScript gets a third of the limit: V8 then reports that it is out of memory, whereas it may
  // just crash at the system's limit.
  const heapMib = Math.floor(memoryLimitBytes / 3 / 1024 / 1024);
  const node = [`--max-old-space-size=${heapMib}`, fileURLToPath(entry)];
  const options = {
    stdio: ["ignore", "ignore", "pipe", "ipc"] as ("ignore" | "pipe" | "ipc")[],
    env: ENVIRONMENT,
  };
  if (!canCap) return spawn(process.execPath, node, options);
  const limitKib = String(Math.floor((memoryLimitBytes + RESERVED_BYTES) / 1024));
  return spawn("/bin/sh", ["-c", SCRIPT, process.execPath, limitKib, ...node], options);
}

/** Set at once, because on Linux only threads that start later inherit it. */
function makeNicer({ pid }: ChildProcess, niceness: number): void {
  if (niceness === 0 || pid === undefined) return;
  try {
    setPriority(pid, niceness);
  } catch {
    // The process has ended already, or the system forbids it; the priority is only a preference.
  }
}

interface WarmChildOptions {
  entry: URL;
  memoryLimitBytes: number;
  /** Time between the abort message and the kill. */
  graceMs: number;
  /** Time within which the child must send `ready`. */
  startTimeoutMs: number;
  log: Logger;
  /** Niceness of the process, from 0 to 19; a nicer one leaves the processor to others. */
  niceness: number;
  /** Called when the system refuses the memory limit and the child runs without one. */
  onUncapped(): void;
}

const STDERR_KEPT = 4096;

/** One child process that takes one task at a time. */
export class WarmChild {
  readonly #options: WarmChildOptions;
  readonly #process: ChildProcess;
  #state: "starting" | "idle" | "busy" | "gone" = "starting";
  #tasks = 0;
  #rssBytes = 0;
  #work: ChildWork | null = null;
  /** The logger of the current task; between two tasks the pool's logger. */
  #log: Logger;
  #leaving = false;
  #wasReady = false;
  /** The reason of a kill, where the exit status would not show it. */
  #verdict: ChildStoppedError | null = null;

  /** Resolves to true when the child can take work, to false when it died before. */
  readonly ready: Promise<boolean>;
  /** Resolves when the process has ended: to the reason, or to null when the pool stopped it. */
  readonly gone: Promise<ChildStoppedError | null>;

  /** Starts a child process at once. Throws the system's error when it cannot start one. */
  constructor(options: WarmChildOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#process = spawnChild(options.entry, options.memoryLimitBytes);
    makeNicer(this.#process, options.niceness);
    this.gone = this.#untilGone();
    this.ready = Promise.race([this.#untilReady(), this.gone.then(() => false)]);
    this.#process.on("message", (received) => this.#receive(received));
  }

  /** `starting` until the child is ready; `gone` once it is dead or ordered to stop. */
  get state(): "starting" | "idle" | "busy" | "gone" {
    return this.#state;
  }

  /** Number of tasks that this child has taken. */
  get tasks(): number {
    return this.#tasks;
  }

  /** Resident memory after the last task; 0 before. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  /**
   * May be called only when idle. Rejects with ChildStoppedError, NeverBegunError, or what the
   * child threw.
   */
  async run(request: unknown, options: RunOptions): Promise<unknown> {
    this.#state = "busy";
    this.#log = options.log ?? this.#log;
    this.#work = startChildWork({
      id: ++this.#tasks,
      request,
      options,
      graceMs: this.#options.graceMs,
      // A send fails only on a closed channel; then the process is ending, and `gone` handles that.
      send: (message) => void this.#process.send(message, () => {}),
      kill: () => this.#kill(),
      condemn: (error) => this.#condemn(error),
    });
    try {
      return await this.#work.promise;
    } finally {
      this.#work = null;
      this.#log = this.#options.log;
      if (this.#state === "busy") this.#state = "idle";
    }
  }

  /** Ends the child; a busy child is asked to stop first. */
  leave(): void {
    this.#leaving = true;
    this.#state = "gone";
    if (this.#work === null) return this.#kill();
    this.#work.stop("closed", "The work was stopped because the service is stopping.");
    const end = () => this.#kill();
    this.#work.promise.then(end, end);
  }

  #receive(received: unknown): void {
    const { data: message, error } = childMessage.safeParse(received);
    if (error) return this.#condemn(error);
    // A message about an earlier task came too late.
    if (message.type === "ready" || message.id !== this.#tasks) return;
    if ("rssBytes" in message) this.#rssBytes = message.rssBytes;
    this.#work?.receive(message);
  }

  /** The child sent an invalid message, perhaps because a photo has compromised it. */
  #condemn(cause: unknown): void {
    const message = "The child process sent an invalid message.";
    this.#verdict ??= new ChildStoppedError("crashed", message, { cause });
    this.#state = "gone";
    this.#process.kill("SIGKILL");
  }

  #kill(): void {
    this.#leaving = true;
    this.#state = "gone";
    this.#process.kill("SIGKILL");
  }

  #untilReady(): Promise<boolean> {
    const { startTimeoutMs } = this.#options;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#verdict = new ChildStoppedError(
          "crashed",
          `The child process was not ready after ${startTimeoutMs} ms.`,
        );
        this.#process.kill("SIGKILL");
      }, startTimeoutMs);
      this.#process.once("exit", () => clearTimeout(timer));
      this.#process.once("message", (received) => {
        if (!childMessage.safeParse(received).success) return;
        clearTimeout(timer);
        this.#wasReady = true;
        if (this.#state === "starting") this.#state = "idle";
        resolve(true);
      });
    });
  }

  async #untilGone(): Promise<ChildStoppedError | null> {
    const readStderr = this.#keepTail();
    await this.#untilClosed();
    const { pid, exitCode, signalCode } = this.#process;
    const exit =
      this.#verdict ?? describeDeath({ code: exitCode, signal: signalCode, stderr: readStderr() });
    const unstartable = () =>
      new ChildStoppedError("unstartable", exit.message, { cause: exit.cause });
    const death = this.#wasReady ? exit : unstartable();
    this.#state = "gone";
    const about = { err: death.cause, childPid: pid, reason: death.reason, stderr: readStderr() };
    if (!this.#leaving) this.#log.warn(about, death.message);
    this.#work?.die(death);
    return this.#leaving ? null : death;
  }

  #untilClosed(): Promise<void> {
    return new Promise((resolve) => {
      // `close` and not `exit`, because an answer may still be in the channel when the process has
      // ended.
      this.#process.once("close", () => resolve());
      this.#process.on("error", (error) => {
        // A running process reports a message that could not be sent; its end follows.
        if (this.#process.pid !== undefined) return;
        this.#verdict = new ChildStoppedError(
          "crashed",
          `The child process could not be started: ${error.message}.`,
          { cause: error },
        );
        resolve();
      });
    });
  }

  #keepTail(): () => string {
    let tail = "";
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log.debug(
        { childPid: this.#process.pid, stderr: text.slice(0, STDERR_KEPT) },
        "a child wrote to stderr",
      );
      tail = (tail + text).slice(-STDERR_KEPT);
      if (!tail.includes(UNCAPPED)) return;
      tail = tail.replace(UNCAPPED, "");
      this.#options.onUncapped();
    });
    return () => tail.trim();
  }
}
