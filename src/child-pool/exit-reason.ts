/**
 * The reason why a child returned no result. `timeout`: it exceeded its time limit. `aborted`: the
 * caller's signal was aborted; `cause` is its reason. `memory`: it reached its memory limit.
 * `killed`: another process sent SIGKILL, usually the kernel when memory is short. `crashed`: it
 * died for another reason. `unstartable`: it never became ready, so it had no work yet. `closed`:
 * the pool is closing.
 */
export type ChildStopReason =
  "timeout" | "aborted" | "memory" | "killed" | "crashed" | "unstartable" | "closed";

/**
 * The child was stopped or died. Its output may be incomplete, but nothing writes to it any more.
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

/** How a process ended, and the last part of its stderr. */
interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

// V8, libstdc++, glib and Node print these when an allocation fails; the process then dies by
// SIGABRT or SIGTRAP.
const OUT_OF_MEMORY =
  /out of memory|std::bad_alloc|failed to allocate|allocation failed|insufficient memory/i;

export function describeDeath({ code, signal, stderr }: Death): ChildStoppedError {
  const how = signal === null ? `exited with code ${code ?? "unknown"}` : `died by ${signal}`;
  if (OUT_OF_MEMORY.test(stderr))
    return new ChildStoppedError(
      "memory",
      `The child process reached its memory limit and ${how}.`,
    );
  if (signal === "SIGKILL")
    return new ChildStoppedError(
      "killed",
      "The child process was killed by another process, most likely because memory is short.",
    );
  const fault = firstFault(stderr);
  return new ChildStoppedError(
    "crashed",
    `The child process ${how}${fault === null ? "" : `: ${fault}`}.`,
  );
}

function firstFault(stderr: string): string | null {
  const lines = stderr.split("\n").map((line) => line.trim());
  return lines.find((line) => /error/i.test(line)) ?? lines.findLast((line) => line !== "") ?? null;
}

/**
 * True when an image library failed for lack of memory, which only its text shows. WebP's encoder
 * reports "unable to encode", and a process at its address space limit cannot start a thread.
 * WebAssembly's "memory access out of bounds" is an error of a decoder, not a lack of memory.
 */
export function lacksMemory(error: unknown): boolean {
  return (
    /memory|allocat|creat(e|ing) thread|webpsave: unable to encode/i.test(String(error)) &&
    !/out of bounds/.test(String(error))
  );
}
