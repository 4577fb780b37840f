/** What was found to break the promise, a sentence each. */
export interface Violations {
  add(kind: ViolationKind, sentence: string): void;
  /** How many of this kind. */
  count(kind: ViolationKind): number;
  readonly sentences: readonly string[];
}

export type ViolationKind = "lost" | "repeated" | "out of order" | "stuck" | "other";

export function createViolations(): Violations {
  const found: { kind: ViolationKind; sentence: string }[] = [];
  return {
    add: (kind, sentence) =>
      void found.push({
        kind,
        sentence: `${new Date().toISOString().slice(11, 23)} ${kind}: ${sentence}`,
      }),
    count: (kind) => found.filter((violation) => violation.kind === kind).length,
    get sentences() {
      return found.map(({ sentence }) => sentence);
    },
  };
}
