// Exchanges an ID token of Google for a token of the photo service. Copy this file to your server.
import { createRemoteJWKSet, importPKCS8, jwtVerify, SignJWT } from "jose";

export const GOOGLE_KEYS = "https://www.googleapis.com/oauth2/v3/certs";
/** Google uses both spellings. */
const GOOGLE_ISSUERS = ["https://accounts.google.com", "accounts.google.com"];
const LIFE_SECONDS = 3600;

export interface SignInOptions {
  /** OAuth client ID of the page that has the button. */
  clientId: string;
  /** PKCS #8 PEM of the RSA key that signs tokens for the photo service. */
  signingKey: string;
  /** `JWT_ISSUER` and `JWT_AUDIENCE` of the photo service. */
  issuer: string;
  audience: string;
  /** URL of Google's keys. */
  keysUrl?: string;
}

export interface SignIn {
  /**
   * Returns a token for the photo service. `nonce` is what the page has sent to Google, so that a
   * stolen ID token is useless elsewhere. Rejects for an ID token that is not valid.
   */
  exchange(idToken: string, nonce: string): Promise<{ token: string; expiresIn: number }>;
}

export async function createSignIn(options: SignInOptions): Promise<SignIn> {
  const { clientId, issuer, audience, keysUrl = GOOGLE_KEYS } = options;
  const googleKeys = createRemoteJWKSet(new URL(keysUrl));
  const signingKey = await importPKCS8(options.signingKey, "RS256");
  return {
    async exchange(idToken, nonce) {
      const { payload } = await jwtVerify(idToken, googleKeys, {
        algorithms: ["RS256"],
        issuer: GOOGLE_ISSUERS,
        audience: clientId,
        requiredClaims: ["exp", "sub", "email"],
      });
      if (payload["nonce"] !== nonce) throw new Error("The ID token has another nonce.");
      // The service identifies a user by issuer and subject. Never use the e-mail as the subject,
      // because an address can change its owner.
      const { sub = "", email, email_verified, name, picture } = payload;
      const token = await new SignJWT({ email, email_verified, name, picture })
        .setProtectedHeader({ alg: "RS256", typ: "JWT" })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(sub)
        .setIssuedAt()
        .setExpirationTime(`${LIFE_SECONDS} s`)
        .sign(signingKey);
      return { token, expiresIn: LIFE_SECONDS };
    },
  };
}
