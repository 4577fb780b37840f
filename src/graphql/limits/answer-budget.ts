import type { GraphQLError } from "graphql";
import type { ReadBudget } from "../../services/reads/read-budget.js";
import { LIMITS, limitError } from "./limits.js";

/**
 * What the answer to one operation, or to one event of a stream, may take. Counted while it is
 * made, where rows are read and handed out: whatever its lists could hold, no more than this is in
 * memory.
 */
export class AnswerBudget implements ReadBudget {
  #rows: number = LIMITS.answerNodes;
  #bytes: number = LIMITS.answerBytes;
  #nodes: number = LIMITS.answerNodes;
  #values: number = LIMITS.answerBytes;
  #turn: Promise<unknown> | null = null;
  #excess: GraphQLError | null = null;

  /** Once it is exceeded everything further is refused. */
  get isExceeded(): boolean {
    return this.#excess !== null;
  }

  get rowsLeft(): number {
    return this.#excess ? 0 : this.#rows;
  }

  get bytesLeft(): number {
    return this.#excess ? 0 : this.#bytes;
  }

  takeRead(rows: number, bytes: number): void {
    this.#rows -= rows;
    this.#bytes -= bytes;
    this.#check();
  }

  /**
   * Entries of a list in the answer, where the same row may be several times. Throws when they are
   * too many by this.
   */
  takeNodes(count: number): void {
    this.#nodes -= count;
    this.#check();
  }

  /** A JSON value in the answer. Throws when they are too long by this. */
  takeValue(value: unknown): void {
    this.#values -= lengthOf(value);
    this.#check();
  }

  /** One read after the other, so that each knows what is left. */
  inTurn<T>(read: () => Promise<T>): Promise<T> {
    const reading = this.#turn ? this.#turn.then(read) : read();
    this.#turn = reading.catch(() => {});
    return reading;
  }

  #check(): void {
    if (this.#rows < 0 || this.#nodes < 0)
      this.#excess ??= limitError(
        "answerNodes",
        `The answer has more than ${LIMITS.answerNodes} rows: ${ADVICE}`,
      );
    if (this.#bytes < 0 || this.#values < 0)
      this.#excess ??= limitError(
        "answerBytes",
        `The answer takes more than ${LIMITS.answerBytes / 1024 / 1024} MB: ${ADVICE}`,
      );
    if (this.#excess) throw this.#excess;
  }
}

const ADVICE = "ask for fewer rows (first), or for less within each.";

const lengths = new WeakMap<object, number>();

/** As JSON text. The same object is measured once. */
function lengthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return String(value).length;
  const length = lengths.get(value) ?? JSON.stringify(value).length;
  lengths.set(value, length);
  return length;
}
