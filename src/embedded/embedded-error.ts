/**
 * The error when PostgreSQL or Redis cannot run on this machine. The message is one sentence that
 * ends with the cure: print it without a stack. `output` is what the program printed, for a closer
 * look.
 */
export class EmbeddedError extends Error {
  readonly output: string;
  constructor(message: string, options: { cause?: unknown; output?: string } = {}) {
    super(message, { cause: options.cause });
    this.name = "EmbeddedError";
    this.output = options.output ?? "";
  }
}
