/** Broken promises, one sentence each. */
export interface Violations {
  add(kind: ViolationKind, sentence: string): void;
  /** Number of violations of this kind. */
  count(kind: ViolationKind): number;
  readonly sentences: readonly string[];
}

export type ViolationKind = "lost" | "repeated" | "out of order" | "stuck" | "other";

export function createViolations(): Violations {
  const violations: { kind: ViolationKind; sentence: string }[] = [];
  return {
    add: (kind, sentence) =>
      void violations.push({
        kind,
        sentence: `${new Date().toISOString().slice(11, 23)} ${kind}: ${sentence}`,
      }),
    count: (kind) => violations.filter((violation) => violation.kind === kind).length,
    get sentences() {
      return violations.map(({ sentence }) => sentence);
    },
  };
}
