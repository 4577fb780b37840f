// Reads the SQL of the sources, and finds the tables of users that a statement reads as a whole.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseSource, walk } from "../../mutants/syntax.js";
import { sources } from "./read-sources.js";

/** Tables whose rows belong to no user; the rows of all others do. */
const GLOBAL = [
  "deleted_accounts",
  "duties",
  "histories",
  "jobs",
  "operations",
  "operator_actions",
  "pauses",
  "webhook_receivers",
  "worker_leases",
  "workers",
];

/** The tables of users, from the schema. */
export const USER_TABLES = readdirSync("src/db/schema")
  .flatMap((file) => [
    ...readFileSync(join("src/db/schema", file), "utf8").matchAll(/pgTable\(\s*"(\w+)"/g),
  ])
  .map(([, name = ""]) => name)
  .filter((name) => !GLOBAL.includes(name));

/** Columns that name a user or one row of a user. */
const KEY = "(?:user_id|id|queued_job_id|photo_id|predecessor_id|group_id|ctid)";
const CLAUSE =
  "where|set|on|using|order|limit|left|join|cross|group|for|offset|union|returning|and";
const MENTION = new RegExp(
  String.raw`(?:\b(?:from|join|update)\s+|,\s*)(${USER_TABLES.join("|")})\b(?!\.)` +
    String.raw`(?:\s+(?!(?:${CLAUSE})\b)(\w+))?`,
  "g",
);

/** The outermost templates of SQL in a source, with the expressions in them. */
function statementsOf({ path, text }: { path: string; text: string }): string[] {
  const statements: string[] = [];
  if (!/\b(?:sql|tx)(?:<|`)/.test(text)) return statements;
  walk(parseSource(path, text), {
    skip: () => false,
    visit({ type, start, end }, parents) {
      const isSql = type === "TaggedTemplateExpression" && /^(?:sql|tx)\b/.test(text.slice(start));
      const isInner = parents.some((parent) => parent.type === "TaggedTemplateExpression");
      if (isSql && !isInner) statements.push(text.slice(start, end));
    },
  });
  return statements;
}

/**
 * Returns the mentions of users' tables without a condition that names a user or a row. Such a
 * condition is an equality with a key of the table on its left, on the same level of parentheses.
 */
export function unboundIn(statement: string): string[] {
  return levelsOf(statement).flatMap((level) => {
    const mentions = [...level.matchAll(MENTION)];
    const isBound = ([, table = "", alias = table]: string[], place: number) => {
      const qualified = String.raw`\b(?:${table}|${alias})\.${KEY}\s*(?:=|in\b)`;
      const plain = String.raw`(?<![.\w])${KEY}\s*(?:=|in\b)`;
      return (
        new RegExp(qualified).test(level) ||
        (mentions.length === 1 && new RegExp(plain).test(level)) ||
        // The other side of the join is bound itself.
        ((place > 0 || mentions.length === 1) && new RegExp(`using_${KEY}`).test(level))
      );
    };
    return mentions.filter((mention, place) => !isBound(mention, place)).map(([text]) => text);
  });
}

/** Splits a statement into its levels of parentheses and the parts of its unions. */
function levelsOf(statement: string): string[] {
  const levels: string[] = [];
  let rest = statement.replaceAll(/using\s*\((\w+)[^)]*\)/g, "using_$1");
  for (let inner = /\(([^()]*)\)/.exec(rest); inner; inner = /\(([^()]*)\)/.exec(rest)) {
    levels.push(inner[1] ?? "");
    rest = `${rest.slice(0, inner.index)}<>${rest.slice(inner.index + inner[0].length)}`;
  }
  return [...levels, rest].flatMap((level) => level.split(/\bunion(?: all)?\b/));
}

/** Number of mentions without such a condition, by source; sources without any are left out. */
export function countUnbound(): Map<string, number> {
  const counts = sources.map((source): [string, number] => [
    source.path,
    statementsOf(source).flatMap(unboundIn).length,
  ]);
  return new Map(counts.filter(([, count]) => count > 0));
}
