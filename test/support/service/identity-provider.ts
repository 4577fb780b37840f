import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";

export interface IdentityProvider {
  /** Address of the document that names the keys. */
  discoveryUrl: string;
  /** Signs an ID token as Google does; claims override the defaults. */
  idToken(claims?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

export const CLIENT_ID = "123-abc.apps.googleusercontent.com";

/** An OpenID provider on this machine that signs like Google. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...publicKey.export({ format: "jwk" }), kid: "google-1", use: "sig", alg: "RS256" };
  const server = createServer(({ url }, response) => {
    const documents: Record<string, object> = {
      "/.well-known/openid-configuration": { jwks_uri: `${base}/oauth2/v3/certs` },
      "/oauth2/v3/certs": { keys: [key] },
    };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(documents[url ?? ""] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    discoveryUrl: `${base}/.well-known/openid-configuration`,
    idToken: (claims = {}) =>
      new SignJWT({
        iss: "https://accounts.google.com",
        azp: CLIENT_ID,
        aud: CLIENT_ID,
        sub: "110169484474386276334",
        email: "ann@example.com",
        email_verified: true,
        name: "Ann Example",
        picture: "https://lh3.googleusercontent.com/a/ann=s96-c",
        ...claims,
      })
        .setProtectedHeader({ alg: "RS256", kid: "google-1", typ: "JWT" })
        .setIssuedAt()
        .setExpirationTime("1 h")
        .sign(privateKey),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
