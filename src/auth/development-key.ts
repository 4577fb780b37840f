// The key pair that this machine makes for itself, so that one can sign in before any identity
// provider is set up. Whoever reads the file is everybody, admins too: the configuration honours it
// outside production only.
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
  /** DEVELOPMENT_ISSUER and DEVELOPMENT_AUDIENCE unless given. */
  issuer?: string;
  audience?: string;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

/**
 * The ES256 key of `<folder>/development-key.pem` (mode 0600), made with its folder when there is
 * none; all that ask at once get the same. Rejects with an Error naming the file when it holds
 * something else.
 */
export async function loadOrCreateDevelopmentKey(folder: string): Promise<DevelopmentKey> {
  const path = join(folder, "development-key.pem");
  const found = await readIfThere(path);
  if (found !== null) return parse(found, path);
  await mkdir(folder, { recursive: true });
  await createKeyFile(path);
  return parse(await readFile(path, "utf8"), path);
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    // Somebody may have copied the file, and with it lost its mode.
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/**
 * Written aside and then linked: a link appears whole, and unlike a rename it yields to whoever was
 * first.
 */
async function createKeyFile(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  try {
    await writeFile(aside, privateKey.export({ type: "pkcs8", format: "pem" }), {
      mode: 0o600,
      flag: "wx",
      flush: true,
    });
    await link(aside, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function parse(pem: string, path: string): DevelopmentKey {
  try {
    const privateKey = createPrivateKey(pem);
    const verifying = publicKey(createPublicKey(privateKey));
    if (verifying.algorithm === "ES256") return { privateKey, publicKey: verifying };
  } catch {
    // Falls through to the sentence below: what the file holds is no one's business.
  }
  throw new Error(`${path} holds no development key: delete it, and a new one is made.`);
}

/**
 * A JWT for whoever has this e-mail, which counts as verified; the same e-mail is the same user.
 * Rejects with an Error on input that no verifier would take.
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
  if (!(expiresInSeconds > 0)) throw new Error("A token expires after more than 0 seconds.");
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

/** How a development token names the person with this e-mail address. */
export function developmentSubject(email: string): string {
  return createHash("sha256").update(email.toLowerCase()).digest("hex").slice(0, 32);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
