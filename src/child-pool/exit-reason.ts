/**
 * Why a child gave no answer. `timeout`: it ran longer than allowed. `aborted`: the caller's
 * signal, whose reason is the `cause`. `memory`: it ran out of its memory limit. `killed`: SIGKILL
 * from outside, as a rule the kernel short of memory. `crashed`: it died of something else.
 * `unstartable`: it never became ready, so it was at no work yet. `closed`: the pool is closing.
 */
export type ChildStopReason =
  "timeout" | "aborted" | "memory" | "killed" | "crashed" | "unstartable" | "closed";

/**
 * The child was stopped or died; whatever it was writing may be half there, but nothing writes any
 * more.
 */
export class ChildStoppedError extends Error {
  override readonly name = "ChildStoppedError";
  constructor(
    readonly reason: ChildStopReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** How a process ended, and the end of what it wrote to stderr. */
interface Death {
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

/**
 * Whether an image library failed for want of memory, which only its text tells: WebP's encoder is
 * "unable to encode", and a process at the end of its address space cannot start a thread.
 * WebAssembly's "memory access out of bounds" is a decoder gone astray.
 */
export function lacksMemory(error: unknown): boolean {
  return (
    /memory|allocat|creat(e|ing) thread|webpsave: unable to encode/i.test(String(error)) &&
    !/out of bounds/.test(String(error))
  );
}
