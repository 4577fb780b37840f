import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Logger } from "../runtime/logger.js";
import { childMessage } from "./child-message.js";
import { ChildStoppedError, describeDeath } from "./exit-reason.js";
import { startChildWork, type ChildWork, type RunOptions } from "./child-work.js";

/** Written to stderr by the shell when the system refuses the cap; the child runs all the same. */
const UNCAPPED = "photo-child: no memory cap";

// `ulimit -d` makes a bloating decode fail cleanly; `ulimit -v` would crash V8 and WebAssembly,
// which reserve far more than they use. oom_score_adj: short of memory, the kernel takes a child
// and not the service. pdeathsig: the kernel kills the child with its parent even while the child's
// JavaScript computes and cannot receive the channel close.
const SCRIPT = `ulimit -c 0
ulimit -d "$1" 2>/dev/null || echo '${UNCAPPED}' >&2
shift
{ echo 900 > /proc/self/oom_score_adj; } 2>/dev/null
setpriv --pdeathsig KILL true 2>/dev/null && exec setpriv --pdeathsig KILL "$0" "$@"
exec "$0" "$@"`;

// Given, not inherited: a child needs no secret of its parent. Beware: one that is taken over by a
// photo can still find them. It has the parent's user, who may read /proc/<parent>/environ and the
// parent's files; only a user of its own or a sandbox would prevent that. Two arenas keep glibc
// from holding on to memory per thread (268 to 145 MB after 900 thumbnails).
const ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  MALLOC_ARENA_MAX: "2",
  LANG: "C.UTF-8",
};

/**
 * What V8 maps for code and hardly touches; from Node 24 on it counts as data, which is what is
 * capped.
 */
const RESERVED_BYTES = Number.parseInt(process.versions.node) >= 24 ? 512 * 1024 ** 2 : 0;

/** Whether children can be capped on this kind of system. */
export const canCap = process.platform === "linux";

/**
 * Starts Node on `entry` with an IPC channel, stderr as a pipe, no other input or output, and its
 * data capped.
 */
function spawnChild(entry: URL, memoryLimitBytes: number): ChildProcess {
  // JavaScript gets a third of it: V8 then says that it is out of memory, whereas at the system's
  // cap it may just crash.
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

interface WarmChildOptions {
  entry: URL;
  memoryLimitBytes: number;
  /** How long a child that is told to stop may take before it is killed. */
  graceMs: number;
  /** How long it may take until it says that it is ready. */
  startTimeoutMs: number;
  log: Logger;
  /** The system refused the memory cap; the child runs without. */
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
  /** Of what it is at; between two tasks the pool's. */
  #log: Logger;
  #leaving = false;
  #wasReady = false;
  /** Why it was killed, where its own end would not tell. */
  #verdict: ChildStoppedError | null = null;

  /** Resolves to true when it can take work, to false when it died before. */
  readonly ready: Promise<boolean>;
  /** Resolves when the process is gone: to the reason, or to null when it was asked to go. */
  readonly gone: Promise<ChildStoppedError | null>;

  /** Starts a child process at once. Throws what the system throws that has no room for another. */
  constructor(options: WarmChildOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#process = spawnChild(options.entry, options.memoryLimitBytes);
    this.gone = this.#untilGone();
    this.ready = Promise.race([this.#untilReady(), this.gone.then(() => false)]);
    this.#process.on("message", (said) => this.#receive(said));
  }

  /** `starting` until it says that it can take work; `gone` once it is dead or told to go. */
  get state(): "starting" | "idle" | "busy" | "gone" {
    return this.#state;
  }

  /** Taken so far. */
  get tasks(): number {
    return this.#tasks;
  }

  /** Resident memory after the last task; 0 before. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  /** Only when idle. Rejects with ChildStoppedError, NeverBegunError, or what the child threw. */
  async run(request: unknown, options: RunOptions): Promise<unknown> {
    this.#state = "busy";
    this.#log = options.log ?? this.#log;
    this.#work = startChildWork({
      id: ++this.#tasks,
      request,
      options,
      graceMs: this.#options.graceMs,
      // A send that fails is of a channel that is closed: the process is ending, and its end is
      // handled.
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

  /** Ends it; a busy one is asked to stop first. */
  leave(): void {
    this.#leaving = true;
    this.#state = "gone";
    if (this.#work === null) return this.#kill();
    this.#work.stop("closed", "The work was stopped because the service is stopping.");
    const end = () => this.#kill();
    this.#work.promise.then(end, end);
  }

  #receive(said: unknown): void {
    const { data: message, error } = childMessage.safeParse(said);
    if (error) return this.#condemn(error);
    // What it says of a task before is late.
    if (message.type === "ready" || message.id !== this.#tasks) return;
    if ("rssBytes" in message) this.#rssBytes = message.rssBytes;
    this.#work?.receive(message);
  }

  /** It says what no child of ours says: a photo may have taken it over. */
  #condemn(cause: unknown): void {
    const message = "The child process said what it may not.";
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
      this.#process.once("message", (said) => {
        if (!childMessage.safeParse(said).success) return;
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
    const own =
      this.#verdict ?? describeDeath({ code: exitCode, signal: signalCode, stderr: readStderr() });
    const unstartable = () =>
      new ChildStoppedError("unstartable", own.message, { cause: own.cause });
    const death = this.#wasReady ? own : unstartable();
    this.#state = "gone";
    const about = { err: death.cause, childPid: pid, reason: death.reason, stderr: readStderr() };
    if (!this.#leaving) this.#log.warn(about, death.message);
    this.#work?.die(death);
    return this.#leaving ? null : death;
  }

  #untilClosed(): Promise<void> {
    return new Promise((resolve) => {
      // `close`, not `exit`: an answer may still lie in the channel when the process has ended.
      this.#process.once("close", () => resolve());
      this.#process.on("error", (error) => {
        // Of a message that did not get through; the end follows.
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
        "a child wrote",
      );
      tail = (tail + text).slice(-STDERR_KEPT);
      if (!tail.includes(UNCAPPED)) return;
      tail = tail.replace(UNCAPPED, "");
      this.#options.onUncapped();
    });
    return () => tail.trim();
  }
}
