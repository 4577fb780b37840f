import { parseSync } from "oxc-parser";

/** A node of the syntax tree; `start` and `end` are positions in the source. */
export interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** Throws an Error if the source cannot be parsed. */
export function parseSource(path: string, source: string): SyntaxNode {
  const { program, errors } = parseSync(path, source);
  const [fault] = errors;
  if (fault) throw new Error(`${path}: ${fault.message}`);
  return program as unknown as SyntaxNode;
}

export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string"
  );
}

/**
 * Calls `visit` with every run-time node in this one and with its parents, the nearest first. Nodes
 * that `skip` selects are left out with their children.
 */
export function walk(
  node: SyntaxNode,
  options: { visit: Visit; skip: (node: SyntaxNode, parents: readonly SyntaxNode[]) => boolean },
  parents: readonly SyntaxNode[] = [],
): void {
  if (isTypeOnly(node) || options.skip(node, parents)) return;
  options.visit(node, parents);
  for (const child of childrenOf(node)) walk(child, options, [node, ...parents]);
}

export type Visit = (node: SyntaxNode, parents: readonly SyntaxNode[]) => void;

/** Type nodes that contain a run-time expression. */
const TYPED_EXPRESSIONS = new Set([
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSParameterProperty",
]);

function isTypeOnly({ type, importKind, exportKind, declare }: SyntaxNode): boolean {
  if (importKind === "type" || exportKind === "type" || declare === true) return true;
  return type.startsWith("TS") && !TYPED_EXPRESSIONS.has(type);
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
}
