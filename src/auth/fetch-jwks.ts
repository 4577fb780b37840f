import { createPublicKey } from "node:crypto";
import type { JWK } from "jose";
import { publicKey } from "./public-keys.js";

const MAX_BODY_BYTES = 256 * 1024;

/**
 * The keys of a JWKS document that can verify our tokens. Rejects with an Error of one sentence
 * when there is no such document or not one such key in it, and with the signal's reason once that
 * is aborted.
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

/**
 * Counts what arrives after decompression: neither a false length nor a small gzip of a large text
 * gets past it.
 */
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

// A set without a usable key is taken for a fault of the key server, so that the last good one
// stays.
function usableKeys(document: unknown): JWK[] {
  const keys: unknown = isRecord(document) ? document["keys"] : undefined;
  if (!Array.isArray(keys)) throw new Error("The key server's answer is not a JSON Web Key Set.");
  const usable = keys.filter(isUsable);
  if (usable.length === 0)
    throw new Error(
      "The key server's answer holds no RSA, P-256 or Ed25519 public key for signatures.",
    );
  return usable;
}

/**
 * A published private key belongs to everybody, so it verifies nothing; what else the set holds is
 * not for us.
 */
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
 * The address of a JWKS document: https, or http on this machine. Throws an Error with one sentence
 * that does not quote it.
 */
export function parseJwksUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error("The JWKS address is not a URL.");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new Error("The JWKS address must not hold a user name or password.");
  const allowed =
    url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
  if (!allowed)
    throw new Error("The JWKS address must begin with https:// (http:// on this machine only).");
  return url;
}

// The URL parser has already written every spelling of an IPv4 address (127.1, 0x7f000001) as four
// numbers.
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
