import { hash } from "node:crypto";
import { decodeJwt } from "jose";
import { LRUCache } from "lru-cache";
import type { TokenClaims } from "./token-claims.js";

/**
 * Seconds by which our clock and the issuer's may differ: a token holds until `expiresAt` plus
 * this.
 */
export const LEEWAY_SECONDS = 5;

export interface VerifiedTokens {
  /** The claims of a token that was verified by the present keys and has not expired. */
  find(token: string): TokenClaims | undefined;
  /**
   * Remembers the token unless the keys have changed since `verifiedBy`, the generation that
   * verified it.
   */
  add(token: string, claims: TokenClaims, verifiedBy: number): void;
  /**
   * Whether a token that is not verified names a subject whose token was; true a few times after
   * each verified token.
   */
  namesVerifiedSubject(token: string): boolean;
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
 * Unverified tokens that may name a subject after each verified one: a page may send several
 * requests at once.
 */
const UNVERIFIED_PER_SUBJECT = 5;

/**
 * Remembers verified tokens, because a signature costs a hundred times what a hash does. Kept by
 * SHA-256, so that no token lies in memory; refused tokens are not kept, they would push out good
 * ones.
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
    // The same comparison as the library's, so that a remembered token ends in the very second a
    // fresh one does.
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
    const left = subjects.get(subject) ?? 0;
    if (left > 0) subjects.set(subject, left - 1);
    return left > 0;
  }

  return { find, add, namesVerifiedSubject, clear: () => entries.clear() };
}

function keyOf(token: string): string {
  return hash("sha256", token, "base64url");
}

/** What the token says, whoever signed it; empty when it says nothing. */
function namedSubject(token: string): string {
  try {
    return decodeJwt(token).sub ?? "";
  } catch {
    return "";
  }
}
