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

const MAX_TOKEN_LENGTH = 8192;
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const TYPES = new Set(["jwt", "at+jwt", "application/jwt", "application/at+jwt"]);
/**
 * A token must not bring its own key, say where to find one, or change what the signature means.
 */
const FORBIDDEN = ["crit", "b64", "jwk", "jku", "x5u", "x5c"];

/**
 * What a token says of its signature, before anything costly is done with it. Throws
 * UnauthenticatedError unless it is at most 8 KiB of three base64url parts in their one spelling,
 * with an accepted algorithm and type.
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

// Decoders are lenient: they skip blanks and padding and ignore the last bits. Without this, a
// signature has many spellings.
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

/** The libraries' own names of what is wrong, in the words a caller is told. */
const SENTENCES: Record<string, string> = {
  ERR_JWT_EXPIRED: "The token has expired.",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "The token's signature does not hold.",
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
 * What to throw for whatever verifying a token threw: our own errors as they are, all else as
 * UnauthenticatedError. The library's text and the token's never pass through: both reach clients,
 * and one of them is the attacker's.
 */
export function tokenRefusal(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof errors.JWTClaimValidationFailed)
    return new UnauthenticatedError(claimSentence(error.claim, error.reason));
  const code = error instanceof errors.JOSEError ? error.code : "";
  return new UnauthenticatedError(SENTENCES[code] ?? "The token is not a valid signed JWT.");
}

/** The sentence for a required claim that is absent ("missing") or does not hold. */
export function claimSentence(claim: string, reason: string): string {
  if (!KNOWN_CLAIMS.has(claim)) return "The token's claims are not accepted.";
  if (reason === "missing") return `The token lacks the claim "${claim}".`;
  return (
    (reason === "check_failed" && CLAIMS[claim]) || `The token's claim "${claim}" is not accepted.`
  );
}
