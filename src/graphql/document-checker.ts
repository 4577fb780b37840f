import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from "graphql";
import { LRUCache } from "lru-cache";
import { limitRule } from "./limits/measure-operation.js";
import { LIMITS } from "./limits/limits.js";

/** Faults of a document that are told at once. */
export const MAX_ERRORS = 5;
/** What the documents of one cache may take in memory. */
export const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** A token with its share of the nodes that are made of it, as measured. */
const TOKEN_BYTES = 512;

export interface DocumentChecker {
  /**
   * The document that may be executed, or why it may not; parsed and validated once for the same
   * text.
   */
  check(text: string): DocumentNode | readonly GraphQLError[];
}

/** For the doors that Apollo's own checks do not reach. */
export function createDocumentChecker(
  schema: GraphQLSchema,
  options: { introspection: boolean; production: boolean },
): DocumentChecker {
  const rules = [
    ...specifiedRules,
    limitRule,
    ...(options.introspection ? [] : [NoSchemaIntrospectionCustomRule]),
  ];
  const checked = new LRUCache<string, DocumentNode>({
    max: 1000,
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: memoryOf,
  });

  return {
    check(text) {
      const known = checked.get(text);
      if (known) return known;
      const document = tryParse(text);
      if (document instanceof GraphQLError) return [document];
      const errors = validate(schema, document, rules, {
        maxErrors: MAX_ERRORS,
        hideSuggestions: options.production,
      });
      if (errors.length > 0)
        return errors.map((error) => withCode(error, "GRAPHQL_VALIDATION_FAILED"));
      checked.set(text, document);
      return document;
    },
  };
}

/** Whatever the parser throws: deep nesting overflows its stack, which is no GraphQLError. */
function tryParse(text: string): DocumentNode | GraphQLError {
  try {
    return parse(text, { maxTokens: LIMITS.tokens });
  } catch (error) {
    return error instanceof GraphQLError
      ? withCode(error, "GRAPHQL_PARSE_FAILED")
      : new GraphQLError("The document cannot be parsed.", {
          extensions: { code: "GRAPHQL_PARSE_FAILED" },
        });
  }
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return Object.assign(error, { extensions: { ...error.extensions, code } });
}

/**
 * About how much memory a parsed document holds; that of its text, which may be all comments, is
 * the lesser part.
 */
export function memoryOf({ loc }: DocumentNode): number {
  let bytes = loc?.source.body.length ?? 0;
  for (let token = loc?.startToken; token; token = token.next ?? undefined) bytes += TOKEN_BYTES;
  return Math.max(1, bytes);
}
