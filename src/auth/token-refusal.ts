import { errors } from "jose";
import { ServiceError, UnauthenticatedError } from "../domain/errors.js";

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
