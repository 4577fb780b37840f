import { GraphQLError, type ASTNode } from "graphql";

/** The most of each that an operation may have; fragments count as often as they are spread. */
export const LIMITS = {
  /** Of the body of a request, or of a frame of a socket. */
  bytes: 256 * 1024,
  /** Of the text: a longer one is not read to its end. */
  tokens: 2000,
  /** Fields within fields. */
  depth: 12,
  /** Fields `history` within each other. */
  history: 1,
  aliases: 30,
  rootFields: 20,
  rootFieldsOfMutation: 10,
  /** In the whole document. */
  directives: 20,
  /** Lists and objects within each other, in the text and in variables. */
  valueDepth: 32,
  /**
   * Selections that are looked at; a document whose fragments expand to more is not looked at
   * further.
   */
  selections: 20_000,
  /** Fields that the answer can have, see `measureOperation`. */
  cost: 200_000,
  /**
   * Rows that are read for the answer, and entries of lists in it; counted while it is made: see
   * `AnswerBudget`.
   */
  answerNodes: 50_000,
  /**
   * Of the rows that are read for the answer, and of the JSON values in it; counted while it is
   * made.
   */
  answerBytes: 16 * 1024 * 1024,
} as const;

/** Rows of a page, and inputs of one mutation: what an operation may cost is judged by it. */
export const MAX_ROWS = 100;

/** What `extensions.limit` of an error says. */
export type LimitName = Exclude<keyof typeof LIMITS, "rootFieldsOfMutation">;

export function limitError(limit: LimitName, message: string, node?: ASTNode): GraphQLError {
  return new GraphQLError(message, {
    ...(node && { nodes: node }),
    extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit },
  });
}
