/** Measurements of one round: a number for each measure of each contestant. */
export interface Measurements {
  record(measure: string, contestant: string, value: number): void;
  read(measure: string, contestant: string): number | undefined;
  /** Maximum number of cores that other processes used during a measurement. */
  coresElsewhere: number;
  toJSON(): Record<string, Record<string, number>>;
}

export function createMeasurements(): Measurements {
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
