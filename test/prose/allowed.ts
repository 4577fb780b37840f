// Places where a word of the list is right, each with its reason. Keep this list short: a place is
// allowed when the word is a name, or quotes another text.

export interface Allowance {
  file: string;
  rule: string;
  /** Part of the text, which makes the place unique. */
  text: string;
  reason: string;
}

export const ALLOWED: readonly Allowance[] = [];
