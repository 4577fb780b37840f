/** Google writes its issuer in two ways, and means one; the first is the one that is kept. */
const GOOGLE = ["https://accounts.google.com", "accounts.google.com"] as const;

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
