import { createHmac, timingSafeEqual } from "node:crypto";
import type { Storage } from "./storage.js";

/** What a signed URL leads to. */
export const FILE_KINDS = ["photos", "previews", "outputs"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

interface FileAddress {
  kind: FileKind;
  id: string;
  name: string;
  storageKey: string;
  mimeType: string;
}

export interface FileUrls {
  /** What to give out: the storage's own URL where it has one, else one that is signed here. */
  urlOf(file: FileAddress): Promise<string>;
  /**
   * A URL of `/files/<kind>/<id>/<name>` that works for an hour to an hour and a quarter; absolute
   * when the outside's address is known.
   */
  sign(kind: FileKind, id: string, name: string): string;
  /**
   * Whether `path`, as it came, was signed with this expiry (seconds since 1970) and has not
   * expired.
   */
  verify(path: string, expiry: string, signature: string): boolean;
}

const LIFE_SECONDS = 3600;
/**
 * Expiries are rounded up to it, so that the same file keeps its URL for a while and caches work.
 */
const STEP_SECONDS = 900;

/**
 * HMAC-SHA256 over path and expiry; the secret is used for nothing else. `signingKey` may be
 * several, with commas: the first signs, and each verifies, so that a key can be replaced while
 * URLs are out.
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

  function sign(kind: FileKind, id: string, name: string): string {
    const path = `/files/${kind}/${id}/${segmentOf(name)}`;
    const expiry = String(Math.ceil((now() / 1000 + LIFE_SECONDS) / STEP_SECONDS) * STEP_SECONDS);
    const signature = mac(signingKey, path, expiry).toString("base64url");
    return `${base}${path}?exp=${expiry}&sig=${signature}`;
  }

  return {
    sign,
    urlOf: async ({ kind, id, name, storageKey, mimeType }) =>
      (await options.storage.presign(storageKey, { mimeType, filename: name })) ??
      sign(kind, id, name),
    verify(path, expiry, signature) {
      const given = Buffer.from(signature, "base64url");
      // base64url has several spellings of the same bytes: only one is right.
      if (
        given.length !== 32 ||
        given.toString("base64url") !== signature ||
        !/^\d{1,12}$/.test(expiry)
      )
        return false;
      return (
        keys.some((key) => timingSafeEqual(given, mac(key, path, expiry))) &&
        Number(expiry) > now() / 1000
      );
    },
  };
}

/**
 * Beware: `.` and `..` change the path in every browser, however they are encoded; what has such a
 * name goes by another.
 */
function segmentOf(name: string): string {
  return name === "." || name === ".." ? "file" : encodeURIComponent(name);
}

/**
 * The header that shows a file in the browser and saves it under this name (RFC 6266, RFC 8187).
 */
export function contentDisposition(filename: string): string {
  if (/^[\w.-]+$/.test(filename)) return `inline; filename="${filename}"`;
  const encoded = encodeURIComponent(filename).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
  return `inline; filename*=UTF-8''${encoded}`;
}
