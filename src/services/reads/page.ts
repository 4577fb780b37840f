/** A request for a page: rows beside a key, in the order of the list. */
export interface PageRange {
  /** Maximum rows. */
  size: number;
  /** Direction: the rows before the key, or else the rows after it. */
  backward: boolean;
  /** Key of the row beside the page. Null for the end of the list at which the direction starts. */
  key: string | null;
}

/** A page in the order of the list, whichever direction it was read in. */
export interface Page<Row> {
  rows: Row[];
  hasPrevious: boolean;
  hasNext: boolean;
}

/**
 * Builds a page from its rows in the order of the list, with at least one more if more follow in
 * its direction. `hasBehind` is true if a row exists at the key or on its other side.
 */
export function createPage<Row>(
  rows: Row[],
  { size, backward }: PageRange,
  hasBehind: boolean,
): Page<Row> {
  const hasMore = rows.length > size;
  return {
    rows: backward ? rows.slice(-size) : rows.slice(0, size),
    hasPrevious: backward ? hasMore : hasBehind,
    hasNext: backward ? hasBehind : hasMore,
  };
}

/**
 * Cuts a page out of sorted rows, which may include rows at the key and on its other side. A page
 * is exact if they include the nearest one there.
 */
export function cutPage<Row>(
  rows: Row[],
  range: PageRange,
  order: { keyOf(row: Row): string; descending: boolean },
): Page<Row> {
  const { key, backward } = range;
  const isBeyond = (row: Row) =>
    key === null ||
    (backward === order.descending ? order.keyOf(row) > key : order.keyOf(row) < key);
  const beyond = rows.filter(isBeyond);
  return createPage(beyond, range, beyond.length < rows.length);
}

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
