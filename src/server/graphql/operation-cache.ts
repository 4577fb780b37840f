import type { DocumentNode, OperationDefinitionNode } from "graphql";
import { LRUCache } from "lru-cache";
import { MAX_KEPT_BYTES, memoryOf } from "../../graphql/document-checker.js";

/** Identifies an operation, as sent by a client. */
export interface OperationText {
  query: string;
  operationName?: string | null | undefined;
}

export interface CachedOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The media type of the answer, by the `accept` header. */
  mediaTypes: Map<string | undefined, string>;
}

export type OperationCache = ReturnType<typeof createOperationCache>;

const MAX_ENTRIES = 500;

/**
 * Caches operations that were parsed, validated and measured. Only their variables can still be
 * wrong.
 */
export function createOperationCache() {
  const operations = new LRUCache<string, CachedOperation>({
    max: MAX_ENTRIES,
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
      if (!operations.has(key)) operations.set(key, { document, operation, mediaTypes: new Map() });
    },
    find: (text: OperationText): CachedOperation | undefined => operations.get(keyOf(text)),
  };
}

/** Replaces Apollo's store, which underestimates a document by counting only its JSON text. */
export function createDocumentStore() {
  const documents = new LRUCache<string, DocumentNode>({
    max: MAX_ENTRIES,
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: memoryOf,
  });
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) => void documents.set(key, document),
    delete: async (key: string) => documents.delete(key),
  };
}
