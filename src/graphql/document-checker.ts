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

/** Maximum errors that are reported for one document. */
export const MAX_ERRORS = 5;
/** Maximum memory of the documents in one cache. */
export const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** Measured memory of a token and its share of the syntax tree. */
const TOKEN_BYTES = 512;

export interface DocumentChecker {
  /**
   * Returns the validated document, or the errors. The same text is parsed and validated only once.
   */
  check(text: string): DocumentNode | readonly GraphQLError[];
}

/** For WebSocket and Server-Sent Events, where Apollo does not run its checks. */
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
      const cached = checked.get(text);
      if (cached) return cached;
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

/** Catches every error: deep nesting overflows the parser's stack, which is not a GraphQLError. */
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
 * Estimates the memory of a parsed document. The text counts too, since it can consist of comments.
 */
export function memoryOf({ loc }: DocumentNode): number {
  let bytes = loc?.source.body.length ?? 0;
  for (let token = loc?.startToken; token; token = token.next ?? undefined) bytes += TOKEN_BYTES;
  return Math.max(1, bytes);
}
