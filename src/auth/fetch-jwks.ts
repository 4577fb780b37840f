import { createPublicKey } from "node:crypto";
import type { JWK } from "jose";
import { publicKey } from "./public-keys.js";

const MAX_BODY_BYTES = 256 * 1024;

/**
 * Returns the keys of a JWKS document that can verify our tokens. Rejects with an Error of one
 * sentence if the document is missing or has no such key. Once the signal is aborted, rejects with
 * its reason.
 */
export async function fetchJwks(url: URL, signal: AbortSignal): Promise<JWK[]> {
  const response = await fetch(url, {
    redirect: "manual",
    signal,
    headers: { accept: "application/json, application/jwk-set+json" },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The key server answered ${response.status} instead of 200.`);
  }
  return usableKeys(parse(await readBody(response)));
}

/** Counts bytes after decompression, so that neither a false length nor a gzip bomb passes. */
async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES)
      throw new Error(`The key server's answer is longer than ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Error("The key server's answer is not JSON.", { cause: error });
  }
}

// A set without a usable key counts as a fault of the key server. So the last good set is kept.
function usableKeys(document: unknown): JWK[] {
  const keys: unknown = isRecord(document) ? document["keys"] : undefined;
  if (!Array.isArray(keys)) throw new Error("The key server's answer is not a JSON Web Key Set.");
  const usable = keys.filter(isUsable);
  if (usable.length === 0)
    throw new Error(
      "The key server's answer contains no RSA, P-256 or Ed25519 public key for signatures.",
    );
  return usable;
}

/** Rejects a private key, because anyone can sign with a published one, and keys of other kinds. */
function isUsable(jwk: unknown): jwk is JWK {
  if (
    !isRecord(jwk) ||
    jwk["d"] !== undefined ||
    (jwk["use"] !== undefined && jwk["use"] !== "sig")
  )
    return false;
  try {
    const { algorithm } = publicKey(createPublicKey({ key: jwk, format: "jwk" }));
    return jwk["alg"] === undefined || jwk["alg"] === algorithm;
  } catch {
    return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Parses the URL of a JWKS document: https, or http on this machine. Throws an Error of one
 * sentence that does not quote the text.
 */
export function parseJwksUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error("The JWKS address is not a URL.");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new Error("The JWKS address must not contain a user name or password.");
  const allowed =
    url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
  if (!allowed)
    throw new Error("The JWKS address must begin with https:// (http:// on this machine only).");
  return url;
}

// The URL parser has already normalised every spelling of an IPv4 address (127.1, 0x7f000001).
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
