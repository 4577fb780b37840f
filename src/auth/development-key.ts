// A key pair that this machine creates, so that developers can sign in before an identity provider
// is set up. Anyone who can read the file can impersonate every user, admins included. So the
// configuration accepts this key outside production only.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  type KeyObject,
} from "node:crypto";
import { chmod, link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SignJWT } from "jose";
import { publicKey, type PublicKey } from "./public-keys.js";

export const DEVELOPMENT_ISSUER = "photo-service-development";
export const DEVELOPMENT_AUDIENCE = "photo-service";

export interface DevelopmentKey {
  publicKey: PublicKey;
  privateKey: KeyObject;
}

export interface DevelopmentClaims {
  email: string;
  name?: string | undefined;
  admin?: boolean | undefined;
  expiresInSeconds: number;
  /** Default: DEVELOPMENT_ISSUER and DEVELOPMENT_AUDIENCE. */
  issuer?: string;
  audience?: string;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

/**
 * Returns the ES256 key in `<folder>/development-key.pem` (mode 0600), and creates the file if it
 * is missing. Concurrent callers get the same key. Rejects with an Error that names the file if it
 * holds anything else.
 */
export async function loadOrCreateDevelopmentKey(folder: string): Promise<DevelopmentKey> {
  const path = join(folder, "development-key.pem");
  const pem = await readIfThere(path);
  if (pem !== null) return parse(pem, path);
  await mkdir(folder, { recursive: true });
  await createKeyFile(path);
  return parse(await readFile(path, "utf8"), path);
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    // A copy of the file may have lost the mode.
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/**
 * Writes a temporary file and links it. The link appears complete and, unlike a rename, does not
 * replace an existing file.
 */
async function createKeyFile(path: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  try {
    await writeFile(temporary, privateKey.export({ type: "pkcs8", format: "pem" }), {
      mode: 0o600,
      flag: "wx",
      flush: true,
    });
    await link(temporary, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function parse(pem: string, path: string): DevelopmentKey {
  try {
    const privateKey = createPrivateKey(pem);
    const verifying = publicKey(createPublicKey(privateKey));
    if (verifying.algorithm === "ES256") return { privateKey, publicKey: verifying };
  } catch {
    // The sentence below is used instead: this error could reveal the file's content.
  }
  throw new Error(
    `${path} does not contain a development key: delete it, and a new one is created.`,
  );
}

/**
 * Signs a JWT for this e-mail, which counts as verified; the same e-mail is the same user. Rejects
 * with an Error on input that no verifier would accept.
 */
export async function signDevelopmentToken(
  key: DevelopmentKey,
  claims: DevelopmentClaims,
): Promise<string> {
  const {
    email,
    name,
    admin,
    expiresInSeconds,
    issuer = DEVELOPMENT_ISSUER,
    audience = DEVELOPMENT_AUDIENCE,
    clock = Date.now,
  } = claims;
  if (email.length > 320 || !/^[^\s@]+@[^\s@]+$/.test(email))
    throw new Error(`${JSON.stringify(email)} is not an e-mail address.`);
  if (!(expiresInSeconds > 0)) throw new Error("A token must expire after more than 0 seconds.");
  const now = Math.floor(clock() / 1000);
  const payload = {
    email,
    email_verified: true,
    ...(name !== undefined && { name }),
    ...(admin && { admin: true }),
  };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: key.publicKey.algorithm, typ: "JWT" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(developmentSubject(email))
    .setIssuedAt(now)
    .setExpirationTime(now + expiresInSeconds)
    .sign(key.privateKey);
}

/** Returns the `sub` of development tokens for this e-mail address. */
export function developmentSubject(email: string): string {
  return createHash("sha256").update(email.toLowerCase()).digest("hex").slice(0, 32);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
