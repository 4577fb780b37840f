import { decodeProtectedHeader } from "jose";
import { UnauthenticatedError } from "../domain/errors.js";
import { SIGNATURE_ALGORITHMS } from "./public-key.js";
import type { KeyChoice } from "./key-source.js";

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
