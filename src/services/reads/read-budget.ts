/**
 * The rows and bytes that one answer may still read. A read stops just above the budget and reports
 * what it has read.
 */
export interface ReadBudget {
  readonly rowsLeft: number;
  readonly bytesLeft: number;
  /** Throws when the read exceeds the budget. `bytes` is the length of the rows as JSON. */
  takeRead(rows: number, bytes: number): void;
}

/** The budget of reads that belong to no request. */
export const UNBOUNDED: ReadBudget = {
  rowsLeft: 1_000_000,
  bytesLeft: 1_000_000_000,
  takeRead() {},
};
