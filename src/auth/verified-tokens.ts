import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { TokenClaims } from "./token-claims.js";

/** Seconds by which our clock and the issuer's may differ: a token holds until `expiresAt` plus this. */
export const LEEWAY_SECONDS = 5;

export interface VerifiedTokens {
  /** The claims of a token that was verified by the present keys and has not expired. */
  find(token: string): TokenClaims | undefined;
  /** Remembers the token unless the keys have changed since `verifiedBy`, the generation that verified it. */
  add(token: string, claims: TokenClaims, verifiedBy: number): void;
  clear(): void;
}

interface Options {
  /** Of the present keys. */
  generation: () => number;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Tokens remembered, the latest used; about 1 kB each. */
  max: number;
}

/**
 * Remembers verified tokens, because a signature costs a hundred times what a hash does. Kept by SHA-256, so that no
 * token lies in memory; refused tokens are not kept, they would push out good ones.
 */
export function createVerifiedTokens({ generation, clock, max }: Options): VerifiedTokens {
  const entries = new LRUCache<string, TokenClaims>({ max });
  let rememberedBy = generation();

  function forgetOtherGenerations(): void {
    if (generation() === rememberedBy) return;
    entries.clear();
    rememberedBy = generation();
  }

  function find(token: string): TokenClaims | undefined {
    forgetOtherGenerations();
    const claims = entries.get(keyOf(token));
    // The same comparison as the library's, so that a remembered token ends in the very second a fresh one does.
    return claims && Math.floor(clock() / 1000) - LEEWAY_SECONDS < claims.expiresAt ? claims : undefined;
  }

  function add(token: string, claims: TokenClaims, verifiedBy: number): void {
    forgetOtherGenerations();
    if (verifiedBy === rememberedBy) entries.set(keyOf(token), claims);
  }

  return { find, add, clear: () => entries.clear() };
}

function keyOf(token: string): string {
  return hash("sha256", token, "base64url");
}
