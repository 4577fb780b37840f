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
