// Reads the texts of the repository: comments and strings of sources, test titles, the printed
// schema, and the documents.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "oxc-parser";
import { isNode, parseSource, walk, type SyntaxNode } from "../mutants/syntax.js";
import { DOCUMENTS } from "../support/asserts/read-documents.js";

type Kind = "comment" | "string" | "error" | "title" | "schema" | "document";

export interface Text {
  kind: Kind;
  file: string;
  line: number;
  text: string;
  isHeading?: boolean;
}

export function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !path.includes("node_modules"))
    .map((path) => join(folder, path))
    .toSorted();
}

/** The comments of a source; adjacent line comments are one. */
export function commentsOf(file: string): Text[] {
  const source = readFileSync(file, "utf8");
  const texts: Text[] = [];
  let end = -1;
  for (const comment of parseSync(file, source).comments) {
    const last = texts.at(-1);
    const isNext = last && /^\n[ \t]*$/.test(source.slice(end, comment.start));
    end = comment.end;
    if (comment.type === "Line" && isNext) {
      last.text += `\n${comment.value.trim()}`;
      continue;
    }
    const lines = comment.value.split("\n").map((line) => line.replace(/^\s*\*? ?/, "").trim());
    const text = comment.type === "Line" ? comment.value.trim() : lines.join("\n").trim();
    texts.push({ kind: "comment", file, line: lineOf(source, comment.start), text });
  }
  return texts.filter(({ text }) => /[a-z]{3}/i.test(text) && !/^(eslint|oxlint|@)/.test(text));
}

/** Strings that are prose (they have a blank in them), and the messages of errors. SQL is code. */
export function stringsOf(file: string): Text[] {
  const source = readFileSync(file, "utf8");
  const texts: Text[] = [];
  const collect = (root: SyntaxNode, kind: Kind) =>
    walk(root, {
      visit: () => {},
      skip(node) {
        if (node.type === "TaggedTemplateExpression" || node.type === "ImportDeclaration")
          return true;
        if (node !== root && kind !== "error" && isError(node)) {
          collect(node, "error");
          return true;
        }
        const text = textOf(node);
        if (text === null) return false;
        if (/\S\s+\S/.test(text))
          texts.push({ kind, file, line: lineOf(source, node.start), text });
        return true;
      },
    });
  collect(parseSource(file, source), "string");
  return texts;
}

/** Titles of describe(), it() and test(). */
export function titlesOf(file: string): Text[] {
  const source = readFileSync(file, "utf8");
  const texts: Text[] = [];
  walk(parseSource(file, source), {
    skip: () => false,
    visit(node) {
      if (node.type !== "CallExpression" || !/^(describe|it|test)\(/.test(source.slice(node.start)))
        return;
      const [title] = node["arguments"] as SyntaxNode[];
      const text = title && textOf(title);
      if (text) texts.push({ kind: "title", file, line: lineOf(source, node.start), text });
    },
  });
  return texts;
}

/** The descriptions of the printed schema. */
export function schemaTexts(): Text[] {
  const file = "test/schema.graphql";
  const source = readFileSync(file, "utf8");
  return [...source.matchAll(/"""([\s\S]*?)"""|"((?:[^"\\\n]|\\.)+)"/g)].map((match) => ({
    kind: "schema",
    file,
    line: lineOf(source, match.index),
    text: (match[1] ?? match[2] ?? "").trim(),
  }));
}

/** Paragraphs, list items, table cells and headings of the documents, without code. */
export function documentTexts(): Text[] {
  return DOCUMENTS.flatMap((file) => {
    let isCode = false;
    const texts: Text[] = [];
    for (const [i, line] of readFileSync(file, "utf8").split("\n").entries()) {
      if (line.startsWith("```")) isCode = !isCode;
      const text = line.replaceAll(/`[^`]*`/g, "`…`").replaceAll(/\]\([^)]*\)/g, "]");
      const last = texts.at(-1);
      const continues =
        last && last.line === i && /^\s*[^\s|#>*-]/.test(line) && !/^\d+\. /.test(line);
      if (isCode || line.trim() === "") continue;
      if (continues && !last.isHeading && !last.text.startsWith("|")) {
        last.text += `\n${text.trim()}`;
        last.line = i + 1;
      } else if (line.startsWith("|")) {
        for (const cell of text.split("|").filter((part) => part.trim() !== ""))
          texts.push({ kind: "document", file, line: i + 1, text: cell.trim() });
      } else {
        const isHeading = line.startsWith("#");
        const bare = text.replace(/^(#+|[-*]|\d+\.)\s+/, "").replaceAll("**", "");
        texts.push({ kind: "document", file, line: i + 1, text: bare.trim(), isHeading });
      }
    }
    return texts;
  });
}

function isError({ type, callee }: SyntaxNode): boolean {
  return type === "NewExpression" && isNode(callee) && String(callee["name"]).endsWith("Error");
}

/** The text of a string, a template or a sum of them; values are "…". Null: it is none of them. */
function textOf(node: SyntaxNode): string | null {
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : null;
  if (node.type === "JSXText") return String(node["value"]).trim();
  if (node.type === "TemplateLiteral") {
    const quasis = node["quasis"] as { value: { cooked: string } }[];
    return quasis.map(({ value }) => value.cooked).join("…");
  }
  if (node.type !== "BinaryExpression" || node["operator"] !== "+") return null;
  const parts = [node["left"], node["right"]].map((side) => textOf(side as SyntaxNode));
  return parts.every((part) => part === null) ? null : parts.map((part) => part ?? "…").join("");
}

function lineOf(source: string, position: number): number {
  return source.slice(0, position).split("\n").length;
}
