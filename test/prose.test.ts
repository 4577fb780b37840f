// Plain English: the words and beginnings of test/prose/words.ts do not occur in comments and
// strings of src, in the printed schema, in the documents, and in test titles.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ALLOWED, type Allowance } from "./prose/allowed.js";
import {
  commentsOf,
  documentTexts,
  schemaTexts,
  sourcesIn,
  stringsOf,
  titlesOf,
  type Text,
} from "./prose/read-texts.js";
import { brokenRules, HEADLESS, RULES, sentencesOf } from "./prose/words.js";

const used = new Set<Allowance>();

function faultsOf(texts: Text[]): string[] {
  return texts.flatMap(({ file, line, text, isHeading = false }) =>
    brokenRules(text.replaceAll(/`[^`]*`/g, "`…`"), { isHeading })
      .filter((rule) => !isAllowed({ file, text, rule }))
      .map((rule) => `${file}:${line} ${rule}: ${excerpt(text, rule)}`),
  );
}

/** Lists every fault, which the diff of deepEqual would cut off. */
function assertNone(faults: string[]): void {
  assert.equal(faults.length, 0, `${faults.length} texts are not plain:\n${faults.join("\n")}`);
}

function isAllowed({ file, text, rule }: { file: string; text: string; rule: string }): boolean {
  const allowance = ALLOWED.find(
    (each) => each.file === file && each.rule === rule && text.includes(each.text),
  );
  if (allowance) used.add(allowance);
  return allowance !== undefined;
}

/** The words around the fault. */
function excerpt(text: string, rule: string): string {
  const flat = text.replaceAll(/\s+/g, " ");
  const at = flat.search(RULES.find(({ name }) => name === rule)?.pattern ?? HEADLESS);
  return flat.slice(Math.max(0, at - 40), at + 40);
}

const sources = sourcesIn("src");
const titles = sourcesIn("test")
  .filter((file) => file.endsWith(".test.ts"))
  .flatMap(titlesOf);

describe("the rules for words", () => {
  it("find a word, and a sentence without a main clause, but not a question", () => {
    assert.deepEqual(brokenRules("The feed is told anew."), ["tell", "anew"]);
    assert.deepEqual(brokenRules("This is no list. There is no list. It is no longer one."), [
      "is no",
    ]);
    assert.deepEqual(brokenRules("What is kept of it."), ["headless"]);
    assert.deepEqual(brokenRules("It starts. Whoever comes first wins."), ["headless"]);
    assert.deepEqual(brokenRules("What is kept? The ring buffer."), []);
    assert.deepEqual(brokenRules("What survives what", { isHeading: true }), []);
  });

  it("see each sentence of a text", () => {
    assert.deepEqual(sentencesOf("One is\nhere. Two: `three`."), [
      "One is here.",
      "Two:",
      "`three`.",
    ]);
  });
});

describe("plain English", () => {
  it("is in the comments of the sources", () => {
    const comments = sources.flatMap(commentsOf);
    assert.ok(comments.length > 500, `only ${comments.length} comments were found`);
    assertNone(faultsOf(comments));
  });

  it("is in the messages and descriptions of the sources", () => {
    const strings = sources.flatMap(stringsOf);
    assert.ok(strings.filter(({ kind }) => kind === "error").length > 80);
    assertNone(faultsOf(strings));
  });

  it("is in the printed schema", () => {
    const descriptions = schemaTexts();
    assert.ok(descriptions.length > 150, `only ${descriptions.length} were found`);
    assertNone(faultsOf(descriptions));
  });

  it("is in the documents", () => {
    const paragraphs = documentTexts();
    assert.ok(paragraphs.length > 300, `only ${paragraphs.length} were found`);
    assertNone(faultsOf(paragraphs));
  });

  it("is in the titles of the tests", () => {
    assert.ok(titles.length > 1000, `only ${titles.length} titles were found`);
    assertNone(faultsOf(titles));
  });

  it("needs every allowance of the list, and each has a reason", () => {
    assert.deepEqual(
      ALLOWED.filter((allowance) => !used.has(allowance)),
      [],
    );
    assert.ok(ALLOWED.every(({ reason }) => reason.length > 20));
  });
});
