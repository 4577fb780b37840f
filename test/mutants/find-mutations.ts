import { isNode, parseSource, walk, type SyntaxNode } from "./syntax.js";

export interface Mutation {
  file: string;
  line: number;
  operator: Operator;
  /** The original and the changed text, each in one line. */
  before: string;
  after: string;
  start: number;
  end: number;
}

export const OPERATORS = [
  "negate",
  "drop",
  "swap",
  "boundary",
  "return",
  "await",
  "empty",
  "constant",
] as const;
export type Operator = (typeof OPERATORS)[number];

type Edit = Pick<Mutation, "start" | "end" | "after">;

/** Larger numbers are mostly times and sizes, where a change of one has no visible effect. */
const LARGEST_CONSTANT = 20;
const COMPARISONS: Record<string, string> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "==": "!=",
  "!=": "==",
};
const LOG_METHODS = new Set(["trace", "debug", "info", "warn", "error", "fatal"]);
/** Documentation and titles, which only people read. */
const TEXT_KEYS = new Set(["description", "title", "about", "deprecationReason"]);

/** Returns every possible mutation of this file, in the order of the text. */
export function findMutations(file: string, source: string): Mutation[] {
  const mutations: Mutation[] = [];
  const text = ({ start, end }: SyntaxNode) => source.slice(start, end);
  walk(parseSource(file, source), {
    skip: (node, parents) => isHarmless(node, parents, text),
    visit(node, parents) {
      for (const operator of OPERATORS) {
        for (const edit of EDITS[operator](node, parents, text)) {
          const before = source.slice(edit.start, edit.end);
          const line = source.slice(0, edit.start).split("\n").length;
          mutations.push({
            ...edit,
            file,
            line,
            operator,
            before: oneLine(before),
            after: edit.after,
          });
        }
      }
    },
  });
  return mutations;
}

/** Returns the changed source. Throws an Error if it cannot be parsed. */
export function applyMutation({ file, start, end, after }: Mutation, source: string): string {
  const mutated = source.slice(0, start) + after + source.slice(end);
  parseSource(file, mutated);
  return mutated;
}

/** True for code that only people read or that nothing depends on. */
function isHarmless(node: SyntaxNode, [parent]: readonly SyntaxNode[], text: Text): boolean {
  if (["Decorator", "JSXText", "JSXAttribute", "ExportAllDeclaration"].includes(node.type))
    return true;
  if (node.type === "ImportDeclaration" || node.type === "ImportExpression") return true;
  if (parent?.type === "ExportNamedDeclaration" && parent["source"] === node) return true;
  if (node.type === "Property")
    return node["computed"] !== true && TEXT_KEYS.has(text(node["key"] as SyntaxNode));
  return node.type === "CallExpression" && isForPeople(node["callee"] as SyntaxNode, text);
}

/** True for calls that log or that describe a schema. */
function isForPeople(callee: SyntaxNode, text: Text): boolean {
  if (callee.type !== "MemberExpression") return false;
  const method = text(callee["property"] as SyntaxNode);
  const object = text(callee["object"] as SyntaxNode);
  return method === "describe" || (LOG_METHODS.has(method) && /(^|\.)log$/.test(object));
}

type Text = (node: SyntaxNode) => string;
type Find = (node: SyntaxNode, parents: readonly SyntaxNode[], text: Text) => Edit[];

const EDITS: Record<Operator, Find> = {
  negate(node, _parents, text) {
    if (!["IfStatement", "ConditionalExpression", "WhileStatement"].includes(node.type)) return [];
    return replaced(node["test"], (test) => `!(${text(test)})`);
  },
  drop(node, parents, text) {
    if (node.type !== "ExpressionStatement" || node["directive"]) return [];
    const expression = node["expression"] as SyntaxNode;
    return hasEffect(expression) && !isHarmless(expression, [node, ...parents], text)
      ? replaced(node, () => ";")
      : [];
  },
  swap(node, _parents, text) {
    const other = { "&&": "||", "||": "&&" }[String(node["operator"])];
    if (node.type !== "LogicalExpression" || other === undefined) return [];
    const [left, right] = [node["left"] as SyntaxNode, node["right"] as SyntaxNode];
    return replaced(node, () => `((${text(left)}) ${other} (${text(right)}))`);
  },
  boundary(node, _parents, text) {
    const other = COMPARISONS[String(node["operator"])];
    if (node.type !== "BinaryExpression" || other === undefined) return [];
    const [left, right] = [node["left"] as SyntaxNode, node["right"] as SyntaxNode];
    return replaced(node, () => `${text(left)} ${other} ${text(right)}`);
  },
  return(node, parents, text) {
    if (node.type === "ReturnStatement" && isNode(node["argument"])) {
      const value = text(node["argument"]);
      const other = { null: null, undefined: null, false: "true", true: "false" }[value];
      return other === null ? [] : replaced(node, () => `return ${other ?? "null"};`);
    }
    const [parent] = parents;
    if (node.type !== "BlockStatement" || !isFunction(parent, parents[1])) return [];
    const [first] = node["body"] as SyntaxNode[];
    return first ? [{ start: first.start, end: first.start, after: "return; " }] : [];
  },
  await(node, [parent], text) {
    // The caller awaits a returned value.
    if (node.type !== "AwaitExpression" || parent?.type === "ReturnStatement") return [];
    return replaced(node, () => `(${text(node["argument"] as SyntaxNode)})`);
  },
  empty(node, [parent]) {
    if (node.type === "ArrayExpression")
      return (node["elements"] as unknown[]).length > 0 ? replaced(node, () => "[]") : [];
    const isText = node.type === "Literal" && typeof node["value"] === "string";
    const isName = parent?.type === "Property" && parent["key"] === node;
    // A text with spaces is a sentence for people.
    return isText && !isName && /^\S+$/.test(String(node["value"]))
      ? replaced(node, () => '""')
      : [];
  },
  constant(node, [parent]) {
    const value = node["value"];
    const isSmall =
      typeof value === "number" && Number.isInteger(value) && value <= LARGEST_CONSTANT;
    const isName = parent?.type === "Property" && parent["key"] === node;
    if (node.type !== "Literal" || !isSmall || isName) return [];
    return [...replaced(node, () => String(value + 1)), ...replaced(node, () => `(${value - 1})`)];
  },
};

function replaced(node: unknown, by: (node: SyntaxNode) => string): Edit[] {
  return isNode(node) ? [{ start: node.start, end: node.end, after: by(node) }] : [];
}

function hasEffect(expression: SyntaxNode): boolean {
  const inner = ["AwaitExpression", "UnaryExpression"].includes(expression.type)
    ? (expression["argument"] as SyntaxNode)
    : expression;
  return ["CallExpression", "AssignmentExpression", "UpdateExpression"].includes(inner.type);
}

/** A constructor is excluded, because the language rejects an object after an early return. */
function isFunction(node: SyntaxNode | undefined, around: SyntaxNode | undefined): boolean {
  const types = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
  return node !== undefined && types.includes(node.type) && around?.["kind"] !== "constructor";
}

function oneLine(text: string): string {
  const flat = text.replaceAll(/\s+/g, " ");
  return flat.length > 100 ? `${flat.slice(0, 99)}…` : flat;
}
