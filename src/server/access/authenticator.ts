import type { FastifyRequest } from "fastify";
import type { TokenClaims } from "../../auth/token-claims.js";
import type { CheckToken, TokenVerifier } from "../../auth/token-verifier.js";
import { ServiceUnavailableError, UnauthenticatedError } from "../../domain/errors.js";
import type { User, Users } from "../../services/users/users.js";
import type { RateLimits } from "./rate-limits.js";

/** A user with a verified token. */
export interface Session {
  user: User;
  /** Seconds since 1970. */
  expiresAt: number;
  /**
   * Returns the current state of the user, without revoked rights. Throws UnauthenticatedError when
   * the user was deleted.
   */
  refresh(): Promise<User>;
}

export interface Authenticator {
  /**
   * Reads the header `authorization`. Throws UnauthenticatedError, QuotaExceededError or
   * ServiceUnavailableError.
   */
  fromRequest(request: Pick<FastifyRequest, "raw" | "ip">): Promise<Session>;
  /**
   * Reads a connection_init payload, `{ "authorization": "Bearer …" }`, with the key in any case.
   * `address` is the client's address.
   */
  fromPayload(
    payload: Readonly<Record<string, unknown>> | undefined,
    address: string,
  ): Promise<Session>;
}

/**
 * Authenticates HTTP requests, sockets, streams and uploads alike. Each sign-in counts as one
 * request for the rate limit.
 */
export function createAuthenticator({
  verifier,
  users,
  rateLimits,
}: {
  verifier: TokenVerifier;
  users: Users;
  rateLimits: RateLimits;
}): Authenticator {
  async function signIn(header: string | string[] | undefined, address: string): Promise<Session> {
    const claims = await verify(header, address);
    const user = await users.signIn(claims);
    await rateLimits.takeOfUser(user.id);
    return { user, expiresAt: claims.expiresAt, refresh: () => users.refresh(user, claims) };
  }

  async function verify(
    header: string | string[] | undefined,
    address: string,
  ): Promise<TokenClaims> {
    try {
      const check: CheckToken = (isKnown) => rateLimits.checkVerification(address, isKnown);
      return await verifier.verify(bearerToken(header), check);
    } catch (error) {
      if (header !== undefined && isRejected(error)) await rateLimits.takeFailure(address);
      throw error;
    }
  }

  return {
    fromRequest: ({ raw, ip }) => signIn(raw.headersDistinct["authorization"], ip),
    async fromPayload(payload, address) {
      const entries = Object.entries(payload ?? {}).filter(
        ([key]) => key.toLowerCase() === "authorization",
      );
      const value = entries[0]?.[1];
      if (entries.length === 1 && typeof value === "string") return signIn(value, address);
      await rateLimits.takeOfAddress(address);
      throw new UnauthenticatedError(
        'Sign in: the connection_init payload must be { "authorization": "Bearer <token>" }.',
      );
    },
  };
}

/** Includes ServiceUnavailableError: unknown keys count even without a key server. */
function isRejected(error: unknown): boolean {
  return error instanceof UnauthenticatedError || error instanceof ServiceUnavailableError;
}

const BEARER = /^Bearer +([^\s,]+)$/i;

/**
 * Returns the token of exactly one `Bearer`; throws UnauthenticatedError otherwise. Beware: pass
 * `headersDistinct.authorization`, since Node silently drops a second `authorization` header.
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
