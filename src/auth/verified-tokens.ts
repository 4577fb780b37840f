import { hash } from "node:crypto";
import { decodeJwt } from "jose";
import { LRUCache } from "lru-cache";
import type { TokenClaims } from "./token-claims.js";

/**
 * Maximum clock difference in seconds between us and the issuer: a token is valid until `expiresAt`
 * plus this.
 */
export const LEEWAY_SECONDS = 5;

export interface VerifiedTokens {
  /** Returns the claims of a token that the current keys verified and that has not expired. */
  find(token: string): TokenClaims | undefined;
  /**
   * Remembers the token, unless the keys have changed since `verifiedBy`, the generation that
   * verified it.
   */
  add(token: string, claims: TokenClaims, verifiedBy: number): void;
  /**
   * Returns true if an unverified token names a subject with a verified token; a few times per
   * verified token.
   */
  namesVerifiedSubject(token: string): boolean;
  clear(): void;
}

interface Options {
  /** Generation of the current keys. */
  generation: () => number;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Maximum remembered tokens, the most recently used; about 1 kB each. */
  max: number;
}

/**
 * Unverified tokens that may name a subject after each verified one: a page sends several requests
 * at once.
 */
const UNVERIFIED_PER_SUBJECT = 5;

/**
 * Remembers verified tokens, because verifying costs a hundred times as much as hashing. Keys are
 * SHA-256 hashes, so that no token stays in memory. Refused tokens are not kept: they would evict
 * good ones.
 */
export function createVerifiedTokens({ generation, clock, max }: Options): VerifiedTokens {
  const entries = new LRUCache<string, TokenClaims>({ max });
  const subjects = new LRUCache<string, number>({ max });
  let rememberedBy = generation();

  function forgetOtherGenerations(): void {
    if (generation() === rememberedBy) return;
    entries.clear();
    rememberedBy = generation();
  }

  function find(token: string): TokenClaims | undefined {
    forgetOtherGenerations();
    const claims = entries.get(keyOf(token));
    // This comparison equals the library's, so that remembered and new tokens expire in the same
    // second.
    return claims && Math.floor(clock() / 1000) - LEEWAY_SECONDS < claims.expiresAt
      ? claims
      : undefined;
  }

  function add(token: string, claims: TokenClaims, verifiedBy: number): void {
    forgetOtherGenerations();
    if (verifiedBy !== rememberedBy) return;
    entries.set(keyOf(token), claims);
    subjects.set(claims.subject, UNVERIFIED_PER_SUBJECT);
  }

  function namesVerifiedSubject(token: string): boolean {
    const subject = namedSubject(token);
    const remaining = subjects.get(subject) ?? 0;
    if (remaining > 0) subjects.set(subject, remaining - 1);
    return remaining > 0;
  }

  return { find, add, namesVerifiedSubject, clear: () => entries.clear() };
}

function keyOf(token: string): string {
  return hash("sha256", token, "base64url");
}

/** Returns the unverified `sub`; empty if the token has none. */
function namedSubject(token: string): string {
  try {
    return decodeJwt(token).sub ?? "";
  } catch {
    return "";
  }
}
