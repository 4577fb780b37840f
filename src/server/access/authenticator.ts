import type { FastifyRequest } from "fastify";
import type { TokenClaims } from "../../auth/token-claims.js";
import type { CheckToken, TokenVerifier } from "../../auth/token-verifier.js";
import { ServiceUnavailableError, UnauthenticatedError } from "../../domain/errors.js";
import type { User, Users } from "../../services/users/users.js";
import type { RateLimits } from "./rate-limits.js";

/** Who holds a token that was verified. */
export interface Session {
  user: User;
  /** Seconds since 1970. */
  expiresAt: number;
  /**
   * The same user as they are now: rights that were taken away are gone. Throws
   * UnauthenticatedError when the user is.
   */
  refresh(): Promise<User>;
}

export interface Authenticator {
  /**
   * By its `authorization`; throws UnauthenticatedError, QuotaExceededError or
   * ServiceUnavailableError.
   */
  fromRequest(request: Pick<FastifyRequest, "raw" | "ip">): Promise<Session>;
  /**
   * By a connection_init payload, `{ "authorization": "Bearer …" }`, the key in any case.
   * `address`: where it comes from.
   */
  fromPayload(
    payload: Readonly<Record<string, unknown>> | undefined,
    address: string,
  ): Promise<Session>;
}

/**
 * The same authentication for every door: HTTP, sockets, streams, uploads. Whoever comes through
 * one has asked once.
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
      if (header !== undefined && didNotHold(error)) await rateLimits.takeFailure(address);
      throw error;
    }
  }

  return {
    fromRequest: ({ raw, ip }) => signIn(raw.headersDistinct["authorization"], ip),
    async fromPayload(payload, address) {
      const found = Object.entries(payload ?? {}).filter(
        ([key]) => key.toLowerCase() === "authorization",
      );
      const value = found[0]?.[1];
      if (found.length === 1 && typeof value === "string") return signIn(value, address);
      await rateLimits.takeOfAddress(address);
      throw new UnauthenticatedError(
        'Sign in: the connection_init payload must be { "authorization": "Bearer <token>" }.',
      );
    },
  };
}

/** The key of a token may be unknown only because the key server is away: that is counted, too. */
function didNotHold(error: unknown): boolean {
  return error instanceof UnauthenticatedError || error instanceof ServiceUnavailableError;
}

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
