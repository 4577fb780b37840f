import { z } from "zod";
import { isStorable } from "../domain/is-storable.js";

/**
 * What the service believes of a token whose signature, issuer, audience and times have been
 * checked.
 */
export interface TokenClaims {
  /** `iss`; the two spellings of Google's are one. */
  readonly issuer: string;
  /** `sub`, 1 to 255 characters; with the issuer it names a user. */
  readonly subject: string;
  readonly email: string;
  /** `email_verified` is the boolean true, not merely "true". */
  readonly emailVerified: boolean;
  /** At most 200 characters; the e-mail's part before @ when the token has no sound one. */
  readonly name: string;
  /** An http(s) URL. */
  readonly picture: string | null;
  /** Seconds since 1970; 0 without `iat`. */
  readonly issuedAt: number;
  /** Seconds since 1970; the leeway is not in it. */
  readonly expiresAt: number;
  /**
   * The development claim `admin: true`. Beware: this is what the token says, whoever signed it;
   * the verifier clears it unless the development key did.
   */
  readonly admin: boolean;
}

/** Google writes its issuer in two ways, and means one; the first is the one that is kept. */
const GOOGLE = ["https://accounts.google.com", "accounts.google.com"] as const;
const MAX_NAME = 200;
const MAX_PICTURE = 2048;
/** The end of the year 9999: beyond it neither a Date nor PostgreSQL's text form is safe. */
const MAX_SECONDS = 253_402_300_799;

const text = (max: number) => z.string().min(1).max(max).refine(isStorable);

/**
 * Payload of a JWT → TokenClaims. Required claims that do not hold are issues at their name;
 * optional ones fall back.
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
    // Rounded up, a fraction expires in the same second for us as for the library.
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

/** Never through the middle of a surrogate pair. */
function cut(value: string): string {
  return value.slice(0, MAX_NAME).replace(/[\uD800-\uDBFF]$/, "");
}

function soundPicture(picture: unknown): string | null {
  if (typeof picture !== "string" || picture.length > MAX_PICTURE) return null;
  return /^https?:\/\/[^\s\p{C}]+$/iu.test(picture) && URL.canParse(picture) ? picture : null;
}

/** Every way in which tokens may write this issuer. */
export function issuerSpellings(issuer: string): readonly string[] {
  return GOOGLE.some((one) => one === issuer) ? GOOGLE : [issuer];
}

/**
 * The one way in which the service writes it: a user is named by issuer and subject, so the two
 * must not be two users.
 */
export function normalizeIssuer(issuer: string): string {
  return issuerSpellings(issuer)[0] ?? issuer;
}
