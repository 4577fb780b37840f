import { errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from "jose";
import { UnauthenticatedError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import type { DevelopmentKey } from "./development-key.js";
import { createJwks, type JwksOptions } from "./jwks.js";
import {
  createFixedKeys,
  type ChosenKeys,
  type KeyChoice,
  type KeyReadiness,
  type KeySource,
} from "./key-source.js";
import { parseJwksUrl } from "./fetch-jwks.js";
import { issuerSpellings, tokenClaims, type TokenClaims } from "./token-claims.js";
import { tokenHeader } from "./token-header.js";
import { claimSentence, tokenRefusal } from "./token-refusal.js";
import { LEEWAY_SECONDS, createVerifiedTokens } from "./verified-tokens.js";

/**
 * PEM text with one or more public keys, a JWKS address, or the key that this machine made for
 * itself.
 */
export type TokenKeys =
  | { pem: string }
  | ({ jwksUrl: string } & Pick<JwksOptions, "timeoutMs" | "schedule">)
  | { development: DevelopmentKey };

export interface TokenVerifierOptions {
  keys: TokenKeys;
  /** Accepted `iss`; one of Google's two spellings stands for both. */
  issuers: readonly string[];
  /** Accepted `aud`; a token for several audiences needs one of these among them. */
  audiences: readonly string[];
  /** Milliseconds since 1970. */
  clock?: () => number;
  /** How many verified tokens are remembered; 20,000. */
  maxRemembered?: number;
  logger?: Logger;
}

/** `namesVerifiedSubject`: a token of the subject that this one names was verified lately. */
export type CheckToken = (namesVerifiedSubject: () => boolean) => void;

export interface TokenVerifier {
  /**
   * Rejects with UnauthenticatedError, or with ServiceUnavailableError when only the key server
   * knows the key and it is away. The claims are shared between callers, and frozen. `check` runs
   * before a signature is verified; what it throws is thrown.
   */
  verify(token: string, check?: CheckToken): Promise<TokenClaims>;
  /** For the readiness page; always ready unless the keys come from a key server. */
  readiness(): KeyReadiness;
  close(): void;
}

/** Throws an Error with one sentence when the keys cannot be read; a key server may be away. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { keys, issuers, audiences, clock = Date.now, maxRemembered = 20_000 } = options;
  const source = createKeySource(options);
  const remembered = createVerifiedTokens({
    generation: source.generation,
    clock,
    max: maxRemembered,
  });
  const checks = {
    issuer: issuers.flatMap(issuerSpellings),
    audience: [...audiences],
    requiredClaims: ["exp", "sub", "email"],
    clockTolerance: LEEWAY_SECONDS,
  };

  async function verifyWithKeys(
    token: string,
    choice: KeyChoice,
  ): Promise<{ claims: TokenClaims; generation: number }> {
    const chosen = await source.choose(choice);
    const now = clock();
    const payload = await verifyWithAny(token, chosen, {
      ...checks,
      algorithms: [choice.alg],
      currentDate: new Date(now),
    });
    return {
      claims: readClaims(payload, "development" in keys, now),
      generation: chosen.generation,
    };
  }

  async function verify(token: string, check?: CheckToken): Promise<TokenClaims> {
    const known = remembered.find(token);
    if (known) return known;
    try {
      const choice = tokenHeader(token);
      check?.(() => remembered.namesVerifiedSubject(token));
      const { claims, generation } = await verifyWithKeys(token, choice);
      remembered.add(token, claims, generation);
      return claims;
    } catch (error) {
      throw tokenRefusal(error);
    }
  }

  function close(): void {
    source.close();
    remembered.clear();
  }

  return { verify, readiness: () => source.readiness(), close };
}

function createKeySource({ keys, clock, logger }: TokenVerifierOptions): KeySource {
  if (!("jwksUrl" in keys)) return createFixedKeys(keys);
  const { jwksUrl, ...settings } = keys;
  return createJwks({ url: parseJwksUrl(jwksUrl), ...settings, ...(clock && { clock }), logger });
}

/** While keys are rotated several may be right, and only the signature tells. */
async function verifyWithAny(
  token: string,
  { keys }: ChosenKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new UnauthenticatedError(
    keys.length > 0
      ? "The token's signature does not hold."
      : "The token is signed with an unknown key.",
  );
}

function readClaims(payload: JWTPayload, byDevelopmentKey: boolean, nowMs: number): TokenClaims {
  const parsed = tokenClaims.safeParse(payload);
  if (!parsed.success)
    throw new UnauthenticatedError(
      claimSentence(String(parsed.error.issues[0]?.path[0]), "invalid"),
    );
  const { data } = parsed;
  // Newer claims win by `issuedAt`: a token from the future must not win for years.
  const issuedAt = Math.min(data.issuedAt, Math.floor(nowMs / 1000));
  return Object.freeze({ ...data, issuedAt, admin: data.admin && byDevelopmentKey });
}
