// `node dist/test/prose/report.js [--seed N] [--draw N]`: counts the comments of src that break a
// rule of the style, and draws comments and error messages at random, to be read by a person.
import { readCommandLine } from "../../src/runtime/command-line.js";
import { readSeed } from "../support/runner/read-seed.js";
import { seededRandom } from "../support/runner/seeded-random.js";
import { commentsOf, sourcesIn, stringsOf, type Text } from "./read-texts.js";
import { brokenRules, sentencesOf } from "./words.js";

const MAX_WORDS = 20;
/** "Of …" and "By …" without an auxiliary verb are rarely a sentence. */
const PREPOSITION = /^(Of|By|Beyond|Behind|With|Without|For|From) /;
const VERB =
  /\b(is|are|was|were|be|has|have|had|can|cannot|may|might|must|do|does|did|will|would|should)\b|,/;

const { seed, draw } = readCommandLine(
  {
    name: "node dist/test/prose/report.js",
    about: "Count comments that break the style, and draw comments and error messages at random.",
    options: {
      seed: { type: "string", value: "<number>", about: "Repeats an earlier draw." },
      draw: { type: "string", value: "<number>", default: "20", about: "Number of each to draw." },
    },
  },
  ({ seed: text, draw: count }) => ({ seed: readSeed(text), draw: Number(count) }),
);

const say = (line = "") => void process.stdout.write(`${line}\n`);
const sources = sourcesIn("src");
const comments = sources.flatMap(commentsOf);
const errors = sources.flatMap(stringsOf).filter(({ kind }) => kind === "error");

const marked = new Map<string, number>();
const isMarked = (comment: Text): boolean => {
  const markers = markersOf(comment.text);
  for (const marker of markers) marked.set(marker, (marked.get(marker) ?? 0) + 1);
  return markers.length > 0;
};
const count = comments.filter(isMarked).length;
const long = comments.filter(({ text }) => sentencesOf(text).some(isLong)).length;

say(`${comments.length} comments in src, ${count} with a marker: ${percent(count)}`);
for (const [marker, times] of [...marked].toSorted(([, a], [, b]) => b - a))
  say(`  ${String(times).padStart(4)}  ${marker}`);
say(`${long} with a sentence of more than ${MAX_WORDS} words: ${percent(long)}`);

const random = seededRandom(seed);
for (const [title, texts] of [
  ["comments", comments],
  ["error messages", errors],
] as const) {
  say(`\n${draw} of ${texts.length} ${title}, seed ${seed}:`);
  for (const { file, line, text } of random.shuffled(texts).slice(0, draw))
    say(`  ${file}:${line}\n    ${text.replaceAll(/\s+/g, " ")}`);
}

function markersOf(text: string): string[] {
  const words = brokenRules(text.replaceAll(/`[^`]*`/g, "`…`"));
  const isFragment = sentencesOf(text).some(
    (sentence) => PREPOSITION.test(sentence) && !VERB.test(sentence),
  );
  return isFragment ? [...words, "begins with a preposition, has no verb"] : words;
}

function isLong(sentence: string): boolean {
  return sentence.split(" ").length > MAX_WORDS;
}

function percent(part: number): string {
  return `${((100 * part) / comments.length).toFixed(1)} %`;
}
