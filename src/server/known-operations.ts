import type { DocumentNode, OperationDefinitionNode } from "graphql";
import { LRUCache } from "lru-cache";

/** As a request names it. */
export interface OperationText {
  query: string;
  operationName?: string | null | undefined;
}

export interface KnownOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The media type in which it was answered, by what was accepted. */
  mediaTypes: Map<string | undefined, string>;
}

export type KnownOperations = ReturnType<typeof createKnownOperations>;

const MOST = 500;
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Operations that were parsed, validated and measured: what can be wrong with them is only their variables. */
export function createKnownOperations() {
  const known = new LRUCache<string, KnownOperation>({ max: MOST, maxSize: MOST_CHARACTERS, sizeCalculation: (_, key) => key.length });
  const keyOf = ({ query, operationName }: OperationText) => `${operationName ?? ""}\n${query}`;

  return {
    add(text: OperationText, { document, operation }: Pick<KnownOperation, "document" | "operation">): void {
      const key = keyOf(text);
      if (!known.has(key)) known.set(key, { document, operation, mediaTypes: new Map() });
    },
    find: (text: OperationText): KnownOperation | undefined => known.get(keyOf(text)),
  };
}
