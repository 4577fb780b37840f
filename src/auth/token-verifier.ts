import {
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyOptions,
  decodeProtectedHeader,
} from "jose";
import { UnauthenticatedError, ServiceError } from "../domain/errors.js";
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
import { LEEWAY_SECONDS, createVerifiedTokens } from "./verified-tokens.js";
import { SIGNATURE_ALGORITHMS } from "./public-keys.js";

/** PEM text with one or more public keys, a JWKS address, or this machine's development key. */
export type TokenKeys =
  | { pem: string }
  | ({ jwksUrl: string } & Pick<JwksOptions, "timeoutMs" | "schedule">)
  | { development: DevelopmentKey };

export interface TokenVerifierOptions {
  keys: TokenKeys;
  /** Accepted values of `iss`; one of Google's two spellings allows both. */
  issuers: readonly string[];
  /** Accepted values of `aud`; a token with several audiences needs one of these. */
  audiences: readonly string[];
  /** Milliseconds since 1970. */
  clock?: () => number;
  /** Maximum remembered tokens; default 20,000. */
  maxRemembered?: number;
  logger?: Logger;
}

/** `namesVerifiedSubject` returns true if a token of the same subject was verified recently. */
export type CheckToken = (namesVerifiedSubject: () => boolean) => void;

export interface TokenVerifier {
  /**
   * Rejects with UnauthenticatedError, or with ServiceUnavailableError when the key server is
   * needed but unavailable. Claims are frozen, because callers share them. `check` runs before the
   * signature is verified, and its errors are passed on.
   */
  verify(token: string, check?: CheckToken): Promise<TokenClaims>;
  /** Returns the state for the readiness page; always ready without a key server. */
  readiness(): KeyReadiness;
  close(): void;
}

/**
 * Throws an Error of one sentence if the keys cannot be read. A key server may be unavailable at
 * this time.
 */
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
    const claimsInCache = remembered.find(token);
    if (claimsInCache) return claimsInCache;
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

/** During a key rotation several keys may match, and only the signature decides. */
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
      ? "The token's signature is invalid."
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
  // The claims with the newest `issuedAt` win, so a token from the future must not win for years.
  const issuedAt = Math.min(data.issuedAt, Math.floor(nowMs / 1000));
  return Object.freeze({ ...data, issuedAt, admin: data.admin && byDevelopmentKey });
}

const MAX_TOKEN_LENGTH = 8192;
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const TYPES = new Set(["jwt", "at+jwt", "application/jwt", "application/at+jwt"]);
/** Header fields that bring or locate a key, or change the meaning of the signature. */
const FORBIDDEN = ["crit", "b64", "jwk", "jku", "x5u", "x5c"];

/**
 * Reads the token's header before any costly work. Throws UnauthenticatedError unless the token has
 * at most 8 KiB and three canonical base64url parts. Its algorithm and type must be accepted.
 */
export function tokenHeader(token: string): KeyChoice {
  if (token.length > MAX_TOKEN_LENGTH)
    throw new UnauthenticatedError("The token is longer than 8 KiB.");
  if (!COMPACT.test(token) || !token.split(".").every(isCanonical))
    throw new UnauthenticatedError("The token is not a valid signed JWT.");
  const header: Record<string, unknown> = decodeProtectedHeader(token);
  if (
    FORBIDDEN.some((name) => Object.hasOwn(header, name)) ||
    !isType(header["typ"]) ||
    !isKid(header["kid"])
  ) {
    throw new UnauthenticatedError("The token's header is not accepted.");
  }
  const alg = SIGNATURE_ALGORITHMS.find((one) => one === header["alg"]);
  if (!alg) throw new UnauthenticatedError("The token is not signed with an accepted algorithm.");
  return { alg, ...(isPresent(header["kid"]) && { kid: header["kid"] }) };
}

// Decoders skip white space and padding and ignore the last bits. Without this check one signature
// has many spellings.
function isCanonical(part: string): boolean {
  return Buffer.from(part, "base64url").toString("base64url") === part;
}

function isType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === "string" && TYPES.has(typ.toLowerCase()));
}

function isKid(kid: unknown): boolean {
  return kid === undefined || isPresent(kid);
}

function isPresent(kid: unknown): kid is string {
  return typeof kid === "string" && kid.length <= 1024;
}

/** Messages to the caller by error code of the library. */
const SENTENCES: Record<string, string> = {
  ERR_JWT_EXPIRED: "The token has expired.",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "The token's signature is invalid.",
  ERR_JWKS_NO_MATCHING_KEY: "The token is signed with an unknown key.",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "The token does not say which key it is signed with.",
};

const CLAIMS: Record<string, string> = {
  iss: "The token is from another issuer.",
  aud: "The token is for another audience.",
  nbf: "The token is not valid yet.",
};

const KNOWN_CLAIMS = new Set(["iss", "aud", "nbf", "iat", "exp", "sub", "email"]);

/**
 * Returns the error for a failed verification. Our own errors pass unchanged; all others become
 * UnauthenticatedError. The texts of the library and the token are dropped: they would reach
 * clients, and an attacker wrote the token.
 */
export function tokenRefusal(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof errors.JWTClaimValidationFailed)
    return new UnauthenticatedError(claimSentence(error.claim, error.reason));
  const code = error instanceof errors.JOSEError ? error.code : "";
  return new UnauthenticatedError(SENTENCES[code] ?? "The token is not a valid signed JWT.");
}

/** Returns the message for a required claim that is absent ("missing") or invalid. */
export function claimSentence(claim: string, reason: string): string {
  if (!KNOWN_CLAIMS.has(claim)) return "The token's claims are not accepted.";
  if (reason === "missing") return `The token lacks the claim "${claim}".`;
  return (
    (reason === "check_failed" && CLAIMS[claim]) || `The token's claim "${claim}" is not accepted.`
  );
}
