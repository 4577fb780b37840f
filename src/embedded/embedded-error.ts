/**
 * PostgreSQL or Redis cannot be run here. The message is one sentence that ends with the cure:
 * print it as it is, without a stack. `output` is what the program itself said, for those who look
 * deeper.
 */
export class EmbeddedError extends Error {
  readonly output: string;
  constructor(message: string, options: { cause?: unknown; output?: string } = {}) {
    super(message, { cause: options.cause });
    this.name = "EmbeddedError";
    this.output = options.output ?? "";
  }
}
