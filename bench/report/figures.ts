/** What one round has shown: a number for each measure of each contestant. */
export interface Figures {
  record(measure: string, contestant: string, value: number): void;
  read(measure: string, contestant: string): number | undefined;
  /** The most that others used of this machine while something was measured, in cores. */
  coresElsewhere: number;
  toJSON(): Record<string, Record<string, number>>;
}

export function createFigures(): Figures {
  const table: Record<string, Record<string, number>> = {};
  return {
    coresElsewhere: 0,
    record(measure, contestant, value) {
      (table[measure] ??= {})[contestant] = value;
    },
    read: (measure, contestant) => table[measure]?.[contestant],
    toJSON: () => table,
  };
}
