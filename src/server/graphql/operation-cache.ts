import type { DocumentNode, OperationDefinitionNode } from "graphql";
import { LRUCache } from "lru-cache";
import { MAX_KEPT_BYTES, memoryOf } from "../../graphql/document-checker.js";

/** As a request names it. */
export interface OperationText {
  query: string;
  operationName?: string | null | undefined;
}

export interface CachedOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The media type in which it was answered, by what was accepted. */
  mediaTypes: Map<string | undefined, string>;
}

export type OperationCache = ReturnType<typeof createOperationCache>;

const MOST = 500;

/**
 * Operations that were parsed, validated and measured: what can be wrong with them is only their
 * variables.
 */
export function createOperationCache() {
  const known = new LRUCache<string, CachedOperation>({
    max: MOST,
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: ({ document }) => memoryOf(document),
  });
  const keyOf = ({ query, operationName }: OperationText) => `${operationName ?? ""}\n${query}`;

  return {
    add(
      text: OperationText,
      { document, operation }: Pick<CachedOperation, "document" | "operation">,
    ): void {
      const key = keyOf(text);
      if (!known.has(key)) known.set(key, { document, operation, mediaTypes: new Map() });
    },
    find: (text: OperationText): CachedOperation | undefined => known.get(keyOf(text)),
  };
}

/** For Apollo, whose own store counts the text of a document as JSON, which is a fraction of it. */
export function createDocumentStore() {
  const documents = new LRUCache<string, DocumentNode>({
    max: MOST,
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: memoryOf,
  });
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) => void documents.set(key, document),
    delete: async (key: string) => documents.delete(key),
  };
}
