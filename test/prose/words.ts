// The words and beginnings that the texts of this repository do without, and what to write instead.

export interface Rule {
  /** Name of the rule in reports and in the allow-list. */
  name: string;
  pattern: RegExp;
  instead: string;
}

export const RULES: readonly Rule[] = [
  rule("tell", /\b(tell|tells|told|telling|teller|tellers)\b/i, "report, publish or return"),
  rule("bell", /\bbells?\b/i, "notification"),
  rule("ring", /\b(ring(?![ -]buffer)|rings|rang|ringing)\b/i, "publish, or ring buffer"),
  rule("hear", /\b(hears?|heard|hearing)\b/i, "receive, notice"),
  rule("learn of", /\blearn(s|ed|t)? of\b/i, "notice"),
  rule("waist", /\bwaist\b/i, "the QueuedJob service"),
  rule("anew", /\banew\b/i, "again"),
  rule("for ever", /\bfor ?ever\b/i, "without a limit"),
  rule("as ever", /\bas ever\b/i, "as before"),
  rule("meanwhile", /\bmeanwhile\b/i, "at the same time"),
  rule("is no", /(?<!\bthere )\b(is|are|was|were) no (?!longer\b|more\b)/i, "is not a"),
  rule("one's", /\bone['’]s\b/i, "your, the user's"),
  rule("nobody", /\b(nobody|somebody)\b/i, "no subscriber, another process, a person"),
  rule("patience", /\bpatience\b/i, "timeout"),
  rule("chores", /\b(chores?|upkeep)\b/i, "maintenance"),
  rule("glance", /\bglances?\b/i, "check"),
  rule("dossier", /\bdossiers?\b/i, "details"),
  rule("crowd", /\bcrowds?\b/i, "backlog, many users"),
  rule("figures", /\bfigures?\b/i, "statistics, numbers"),
  rule("of its own", /\bof (its|their|his|her|our|your|one's) own\b/i, "own"),
  rule("at first sight", /\bat first sight\b/i, "at the first request"),
  rule("the last word", /\bthe last word\b/i, "decides"),
];

/** A sentence that begins like this and is not a question has usually no main clause. */
export const HEADLESS = /\b(What|Whose|Whoever|Whomever|Whom|Whatever|Whether)\b/;

/** Rules that these sentences break; `isHeading` allows a heading such as "What survives what". */
export function brokenRules(text: string, { isHeading = false } = {}): string[] {
  const words = RULES.filter(({ pattern }) => pattern.test(text)).map(({ name }) => name);
  const isHeadless = sentencesOf(text).some(
    (sentence) => sentence.search(HEADLESS) === 0 && !sentence.endsWith("?"),
  );
  return isHeadless && !isHeading ? [...words, "headless"] : words;
}

/** Sentences of a text; an abbreviation with points inside may split one. */
export function sentencesOf(text: string): string[] {
  return text
    .replaceAll(/\s+/g, " ")
    .split(/(?<=[.!?:;])\s+(?=[A-Z`"(])|\n\n/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}

function rule(name: string, pattern: RegExp, instead: string): Rule {
  return { name, pattern, instead };
}
