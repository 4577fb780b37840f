import { bearerToken } from "../auth/bearer-token.js";
import type { TokenVerifier } from "../auth/token-verifier.js";
import { UnauthenticatedError } from "../errors.js";
import type { User, Users } from "../services/users.js";

/** Who holds a token that was verified. */
export interface Session {
  user: User;
  /** Seconds since 1970. */
  expiresAt: number;
  /** The same user as they are now: rights that were taken away are gone. Throws UnauthenticatedError when the user is. */
  refresh(): Promise<User>;
}

export interface Authenticator {
  /** Of a request's `authorization`; throws UnauthenticatedError or ServiceUnavailableError. */
  fromHeader(header: string | string[] | undefined): Promise<Session>;
  /** Of a connection_init payload, `{ "authorization": "Bearer …" }`, the key in any case. */
  fromPayload(payload: Readonly<Record<string, unknown>> | undefined): Promise<Session>;
}

/** The same authentication for every door: HTTP, sockets, uploads. */
export function createAuthenticator({ verifier, users }: { verifier: TokenVerifier; users: Users }): Authenticator {
  async function fromHeader(header: string | string[] | undefined): Promise<Session> {
    const claims = await verifier.verify(bearerToken(header));
    const user = await users.signIn(claims);
    return { user, expiresAt: claims.expiresAt, refresh: () => users.refresh(user, claims) };
  }

  return {
    fromHeader,
    async fromPayload(payload) {
      const found = Object.entries(payload ?? {}).filter(([key]) => key.toLowerCase() === "authorization");
      const value = found[0]?.[1];
      if (found.length !== 1 || typeof value !== "string") throw new UnauthenticatedError('Sign in: the connection_init payload must be { "authorization": "Bearer <token>" }.');
      return fromHeader(value);
    },
  };
}
