import { createHash } from "node:crypto";

/**
 * What `deleted_accounts` has of an identity. No text of a token holds a NUL, so no two of them
 * read the same.
 */
export function identityOf({ issuer, subject }: { issuer: string; subject: string }): string {
  return createHash("sha256").update(`${issuer}\0${subject}`).digest("hex");
}
