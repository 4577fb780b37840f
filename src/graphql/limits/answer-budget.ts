import type { GraphQLError } from "graphql";
import type { ReadBudget } from "../../services/reads/page.js";
import { LIMITS, limitError } from "./limits.js";

/**
 * The rows and bytes that are left for the answer to one operation, or to one event of a stream.
 * They are counted where rows are read and returned, so memory is bounded whatever the lists hold.
 */
export class AnswerBudget implements ReadBudget {
  #rows: number = LIMITS.answerNodes;
  #bytes: number = LIMITS.answerBytes;
  #nodes: number = LIMITS.answerNodes;
  #values: number = LIMITS.answerBytes;
  #turn: Promise<unknown> | null = null;
  #excess: GraphQLError | null = null;

  /** True after the first excess. Every later call throws the same error. */
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
   * Counts entries of a list in the answer, which can contain the same row several times. Throws
   * when the budget is exceeded.
   */
  takeNodes(count: number): void {
    this.#nodes -= count;
    this.#check();
  }

  /** Counts a JSON value in the answer. Throws when the budget is exceeded. */
  takeValue(value: unknown): void {
    this.#values -= lengthOf(value);
    this.#check();
  }

  /** Runs one read after the other, so that each one sees the remaining budget. */
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

const ADVICE = "request fewer rows (first or last) or fewer nested fields.";

const lengths = new WeakMap<object, number>();

/** Characters of the value as JSON. The same object is measured once. */
function lengthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return String(value).length;
  const length = lengths.get(value) ?? JSON.stringify(value).length;
  lengths.set(value, length);
  return length;
}
