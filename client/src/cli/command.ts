import type { PhotoService } from "../photo-service.js";
import type { FlagValues } from "./command-line.js";
import type { Terminal } from "./terminal.js";

/** What a command works with. */
export interface CommandContext {
  /** Arguments behind the name of the command. */
  args: readonly string[];
  terminal: Terminal;
  /** Aborted by Ctrl-C. */
  interrupt: AbortSignal;
  /** A client for the flags; it is closed when the command has ended. */
  open(flags: FlagValues): Promise<PhotoService>;
}

/** Resolves with the exit code. */
export type Command = (context: CommandContext) => Promise<number>;

/** Exit code of a command that Ctrl-C has ended before its work was done. */
export const INTERRUPTED = 130;

/** The sentence that explains an error to a person. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
