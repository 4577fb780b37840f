import { GraphQLError, type ASTNode } from "graphql";

/** Maximum values for one operation. A fragment counts each time that it is spread. */
export const LIMITS = {
  /** Bytes of a request body, or of a WebSocket frame. */
  bytes: 256 * 1024,
  /** Tokens of the document. The parser stops when it finds more. */
  tokens: 2000,
  /** Levels of nested fields. */
  depth: 12,
  /** Levels of nested `history` fields. */
  history: 1,
  aliases: 30,
  rootFields: 20,
  rootFieldsOfMutation: 10,
  /** Directives in the whole document. */
  directives: 20,
  /** Levels of nested lists and objects, in the document and in variables. */
  valueDepth: 32,
  /**
   * Selections once the fragments are expanded. Counting stops there, since fragments can expand
   * exponentially.
   */
  selections: 20_000,
  /** Maximum number of fields that the answer can have, see `measureOperation`. */
  cost: 200_000,
  /**
   * Rows that are read for the answer, and list entries in it. They are counted during execution:
   * see `AnswerBudget`.
   */
  answerNodes: 50_000,
  /**
   * Bytes of the rows that are read for the answer, and of the JSON values in it. They are counted
   * during execution.
   */
  answerBytes: 16 * 1024 * 1024,
} as const;

/** Rows of a page if the arguments request no number: see `FieldCost.rows` for other lists. */
export const DEFAULT_ROWS = 20;

/** Maximum rows per page and inputs per mutation. The cost of an operation depends on it. */
export const MAX_ROWS = 100;

/** The values of `extensions.limit` in an error. */
export type LimitName = Exclude<keyof typeof LIMITS, "rootFieldsOfMutation">;

export function limitError(limit: LimitName, message: string, node?: ASTNode): GraphQLError {
  return new GraphQLError(message, {
    ...(node && { nodes: node }),
    extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit },
  });
}
