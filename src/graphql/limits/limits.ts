import { GraphQLError } from "graphql";
import type { ASTNode } from "graphql";

/** The most of each that an operation may have; fragments count as often as they are spread. */
export const LIMITS = {
  /** Of the body of a request, or of a frame of a socket. */
  bytes: 256 * 1024,
  /** Of the text: a longer one is not read to its end. */
  tokens: 2000,
  /** Fields within fields. */
  depth: 12,
  aliases: 30,
  rootFields: 20,
  rootFieldsOfMutation: 10,
  /** In the whole document. */
  directives: 20,
  /** Lists and objects within each other, in the text and in variables. */
  valueDepth: 32,
  /** Selections that are looked at; a document whose fragments expand to more is not looked at further. */
  selections: 20_000,
  /** Fields that the answer may have, see `measureOperation`. */
  cost: 10_000,
} as const;

/** Rows of a page, and inputs of one mutation: what an operation may cost is judged by it. */
export const MOST_ROWS = 100;

/** What `extensions.limit` of an error says. */
export type LimitName = Exclude<keyof typeof LIMITS, "rootFieldsOfMutation">;

export function limitError(limit: LimitName, message: string, node?: ASTNode): GraphQLError {
  return new GraphQLError(message, { ...(node && { nodes: node }), extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit } });
}
