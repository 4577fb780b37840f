import { createHmac, timingSafeEqual } from "node:crypto";
import type { Storage } from "./storage.js";

/** Kinds of files that a signed URL can serve. */
export const FILE_KINDS = ["photos", "previews", "outputs", "images"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

interface FileAddress {
  kind: FileKind;
  id: string;
  name: string;
  storageKey: string;
  mimeType: string;
}

export interface FileUrls {
  /** Returns the expiry of URLs that are signed now: see `urlExpiry`. */
  expiry(): Date;
  /**
   * Returns the storage's own URL if it has one, otherwise a URL signed by the service. It is valid
   * until `expiresAt`, an earlier result of `expiry`; default: that of now.
   */
  urlOf(file: FileAddress, expiresAt?: Date): Promise<string>;
  /** Signs a URL `/files/<kind>/<id>/<name>`. It is absolute if the public address is set. */
  sign(kind: FileKind, id: string, name: string, expiresAt?: Date): string;
  /**
   * Returns true if the raw `path` was signed with this expiry (seconds since 1970) and is still
   * valid.
   */
  verify(path: string, expiry: string, signature: string): boolean;
}

const LIFE_MS = 3_600_000;
const STEP_MS = 900_000;
const DAY_MS = 86_400_000;
/** Maximum time for which a URL of the API is valid. */
export const MAX_LIFE_MS = LIFE_MS + STEP_MS;

/**
 * Returns the expiry of URLs that are signed now, in 60 to 75 minutes. It is rounded up to a
 * multiple, so that a file keeps its URL for a while and caches work.
 */
export function urlExpiry(now: number = Date.now(), lifeMs = LIFE_MS): Date {
  return new Date(Math.ceil((now + lifeMs) / STEP_MS) * STEP_MS);
}

/** Returns the expiry of the URLs in a webhook, whose receiver may be busy: a day or a little more. */
export function webhookUrlExpiry(now?: number): Date {
  return urlExpiry(now, DAY_MS);
}

const IMAGE_STEP_MS = 43_200_000;

/**
 * Returns the expiry of an image's URL, in 24 to 36 hours. The images of different photos get new
 * URLs at different times, so caches never all miss.
 */
function imageExpiry(id: string, now: number): Date {
  const shift = (1000 * (Number.parseInt(id.slice(-4), 16) || 0)) % IMAGE_STEP_MS;
  return new Date(Math.ceil((now + DAY_MS - shift) / IMAGE_STEP_MS) * IMAGE_STEP_MS + shift);
}

/**
 * Signs path and expiry with HMAC-SHA256; the secret has no other use. `signingKey` may list
 * several keys with commas. The first signs and all verify, so that a key can be replaced while
 * URLs are in use.
 */
export function createFileUrls(options: {
  signingKey: string;
  publicUrl: string | null;
  storage: Pick<Storage, "presign">;
  now?: () => number;
}): FileUrls {
  const now = options.now ?? Date.now;
  const keys = options.signingKey
    .split(",")
    .map((key) => key.trim())
    .filter(Boolean);
  const [signingKey = ""] = keys;
  if (signingKey === "") throw new Error("There is no key to sign file URLs with");
  const base = options.publicUrl?.replace(/\/+$/, "") ?? "";

  function mac(key: string, path: string, expiry: string): Buffer {
    return createHmac("sha256", key).update(`v1\n${path}\n${expiry}`).digest();
  }

  function sign(
    kind: FileKind,
    id: string,
    name: string,
    expiresAt = kind === "images" ? imageExpiry(id, now()) : urlExpiry(now()),
  ): string {
    const path = `/files/${kind}/${id}/${segmentOf(name)}`;
    const expiry = String(expiresAt.getTime() / 1000);
    const signature = mac(signingKey, path, expiry).toString("base64url");
    return `${base}${path}?exp=${expiry}&sig=${signature}`;
  }

  return {
    sign,
    expiry: () => urlExpiry(now()),
    async urlOf({ kind, id, name, storageKey, mimeType }, expiresAt = urlExpiry(now())) {
      const presentation = { mimeType, filename: name };
      const url = await options.storage.presign(storageKey, presentation, expiresAt);
      return url ?? sign(kind, id, name, expiresAt);
    },
    verify(path, expiry, signature) {
      const actual = Buffer.from(signature, "base64url");
      // One byte sequence has several base64url spellings; only the canonical one is accepted.
      if (
        actual.length !== 32 ||
        actual.toString("base64url") !== signature ||
        !/^\d{1,12}$/.test(expiry)
      )
        return false;
      return (
        keys.some((key) => timingSafeEqual(actual, mac(key, path, expiry))) &&
        Number(expiry) > now() / 1000
      );
    },
  };
}

/**
 * Beware: `.` and `..` change the path in every browser, even encoded. Files with these names get
 * another name.
 */
function segmentOf(name: string): string {
  return name === "." || name === ".." ? "file" : encodeURIComponent(name);
}

/**
 * Returns the Content-Disposition that shows a file in the browser and saves it under this name
 * (RFC 6266, RFC 8187).
 */
export function contentDisposition(filename: string): string {
  if (/^[\w.-]+$/.test(filename)) return `inline; filename="${filename}"`;
  const encoded = encodeURIComponent(filename).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
  return `inline; filename*=UTF-8''${encoded}`;
}
