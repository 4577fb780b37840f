import { z } from "zod";
import { isStorable } from "../domain/is-storable.js";

/** Claims of a token after its signature, issuer, audience and times were checked. */
export interface TokenClaims {
  /** `iss`, with Google's two spellings normalised to one. */
  readonly issuer: string;
  /** `sub`, 1 to 255 characters. Issuer and subject identify a user. */
  readonly subject: string;
  readonly email: string;
  /** True only if `email_verified` is the boolean true, not the text "true". */
  readonly emailVerified: boolean;
  /** At most 200 characters; the part of the e-mail before @ if the token has no valid name. */
  readonly name: string;
  /** An http(s) URL. */
  readonly picture: string | null;
  /** Seconds since 1970; 0 without `iat`. */
  readonly issuedAt: number;
  /** Seconds since 1970, without the leeway. */
  readonly expiresAt: number;
  /**
   * The development claim `admin: true`. Beware that every signer can set this claim. The verifier
   * clears it unless the development key signed.
   */
  readonly admin: boolean;
}

/** Google's two spellings of its issuer; the first is the normalised one. */
const GOOGLE = ["https://accounts.google.com", "accounts.google.com"] as const;
const MAX_NAME = 200;
const MAX_PICTURE = 2048;
/** The end of the year 9999, the last that both Date and PostgreSQL's text format handle safely. */
const MAX_SECONDS = 253_402_300_799;

const text = (max: number) => z.string().min(1).max(max).refine(isStorable);

/**
 * Parses the payload of a JWT. An invalid required claim is an issue at its name; an invalid
 * optional claim gets a default.
 */
export const tokenClaims = z
  .object({
    iss: text(2048).transform(normalizeIssuer),
    sub: text(255),
    email: text(320),
    exp: z.number().min(0).max(MAX_SECONDS),
    iat: z.number().optional(),
    email_verified: z.unknown().optional(),
    name: z.unknown().optional(),
    picture: z.unknown().optional(),
    admin: z.unknown().optional(),
  })
  .transform((payload): TokenClaims => ({
    issuer: payload.iss,
    subject: payload.sub,
    email: payload.email,
    emailVerified: payload.email_verified === true,
    name: soundName(payload.name) ?? nameOfEmail(payload.email),
    picture: soundPicture(payload.picture),
    issuedAt: Math.floor(Math.min(Math.max(payload.iat ?? 0, 0), MAX_SECONDS)),
    // Rounding up makes a fraction expire in the same second as in the library.
    expiresAt: Math.ceil(payload.exp),
    admin: payload.admin === true,
  }));

function soundName(name: unknown): string | null {
  if (typeof name !== "string" || !isStorable(name)) return null;
  return cut(name.trim()) || null;
}

function nameOfEmail(email: string): string {
  return cut(email.split("@", 1)[0] || email);
}

/** Cuts without splitting a surrogate pair. */
function cut(value: string): string {
  return value.slice(0, MAX_NAME).replace(/[\uD800-\uDBFF]$/, "");
}

function soundPicture(picture: unknown): string | null {
  if (typeof picture !== "string" || picture.length > MAX_PICTURE) return null;
  return /^https?:\/\/[^\s\p{C}]+$/iu.test(picture) && URL.canParse(picture) ? picture : null;
}

/** Returns all spellings of this issuer in tokens. */
export function issuerSpellings(issuer: string): readonly string[] {
  return GOOGLE.some((one) => one === issuer) ? GOOGLE : [issuer];
}

/**
 * Returns the stored spelling of an issuer. Issuer and subject identify a user, so two spellings
 * must not make two users.
 */
export function normalizeIssuer(issuer: string): string {
  return issuerSpellings(issuer)[0] ?? issuer;
}
