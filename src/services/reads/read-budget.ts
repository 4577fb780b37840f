/**
 * What may still be read for one answer. What reads asks for no more than goes just beyond it, and
 * says what it has read.
 */
export interface ReadBudget {
  readonly rowsLeft: number;
  readonly bytesLeft: number;
  /** Throws when it goes beyond what was left. `bytes`: of the rows as JSON. */
  takeRead(rows: number, bytes: number): void;
}

/** For what is read for nobody's answer. */
export const UNBOUNDED: ReadBudget = {
  rowsLeft: 1_000_000,
  bytesLeft: 1_000_000_000,
  takeRead() {},
};
