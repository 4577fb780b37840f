import { UnauthenticatedError } from "../domain/errors.js";

const BEARER = /^Bearer +([^\s,]+)$/i;

/**
 * The token of exactly one `Bearer`; throws UnauthenticatedError otherwise. Beware: Node keeps the
 * first of two `authorization` headers and drops the other in silence, so give
 * `headersDistinct.authorization` to see both.
 */
export function bearerToken(header: string | readonly string[] | undefined): string {
  const values = typeof header === "string" ? [header] : (header ?? []);
  const token = values.length === 1 ? BEARER.exec(values[0]?.trim() ?? "")?.[1] : undefined;
  if (token === undefined)
    throw new UnauthenticatedError(values.length === 0 ? SIGN_IN : ONE_BEARER);
  return token;
}

const SIGN_IN = 'Sign in: no token was sent; "Authorization: Bearer <token>" is expected.';
const ONE_BEARER = 'Sign in: exactly one "Authorization: Bearer <token>" is expected.';
