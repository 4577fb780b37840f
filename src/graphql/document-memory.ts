import type { DocumentNode } from "graphql";

/** What the documents of one cache may take in memory. */
export const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** A token with its share of the nodes that are made of it, as measured. */
const TOKEN_BYTES = 512;

/**
 * About how much memory a parsed document holds; that of its text, which may be all comments, is
 * the lesser part.
 */
export function memoryOf({ loc }: DocumentNode): number {
  let bytes = loc?.source.body.length ?? 0;
  for (let token = loc?.startToken; token; token = token.next ?? undefined) bytes += TOKEN_BYTES;
  return Math.max(1, bytes);
}
