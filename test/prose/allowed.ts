// Places where a word of the list is right, each with its reason. Keep this list short: a place is
// allowed when the word is a name, or quotes another text.

export interface Allowance {
  file: string;
  rule: string;
  /** Part of the text, which makes the place unique. */
  text: string;
  reason: string;
}

const NOBODY = "It is the name of the system user that owns nothing.";

export const ALLOWED: readonly Allowance[] = [
  {
    file: "src/embedded/postgres/run-user.ts",
    rule: "nobody",
    text: "user nobody",
    reason: NOBODY,
  },
  {
    file: "src/embedded/postgres/run-user.ts",
    rule: "nobody",
    text: "for nobody",
    reason: NOBODY,
  },
  {
    file: "test/embedded/postgres/run-user.test.ts",
    rule: "nobody",
    text: "nobody",
    reason: NOBODY,
  },
];
