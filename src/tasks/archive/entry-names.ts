import type { TaskPhoto } from "../define-task.js";

/** Characters that a file system forbids, that steer a terminal, or that reverse the text. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}<>:"/\\|?*]/gu;
/** Names of devices on Windows, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i;
/** Most file systems allow 255 bytes; the rest is for the number. */
const MAX_BYTES = 240;
const EXTENSION = /\.[A-Za-z0-9]{1,10}$/;
const EXTENSIONS: Record<string, string> = { "image/jpeg": ".jpg", "image/tiff": ".tif" };

/**
 * Returns the names of photos in an archive: plain file names that every system can unpack, without
 * folders. Names that differ only in case are numbered, because some systems do not distinguish
 * them.
 */
export function entryNames(photos: readonly Pick<TaskPhoto, "filename" | "mimeType">[]): string[] {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return photos.map(({ filename, mimeType }) => {
    const [stem, extension] = plainName(filename, mimeType);
    const key = (stem + extension).toLowerCase();
    let name = stem + extension;
    let count = counts.get(key) ?? 1;
    while (taken.has(name.toLowerCase())) name = `${stem} (${++count})${extension}`;
    counts.set(key, count);
    taken.add(name.toLowerCase());
    return name;
  });
}

/** Splits into stem and extension. A name without an extension gets that of its format. */
function plainName(filename: string, mimeType: string): [stem: string, extension: string] {
  const plain = filename
    .normalize("NFC")
    .replaceAll(FORBIDDEN, "_")
    // Windows drops dots and spaces at the end; a dot at the start hides a file elsewhere.
    .replace(/^[\s.]+/, "")
    .replace(/[\s.]+$/, "");
  const extension =
    EXTENSION.exec(plain)?.[0] ?? EXTENSIONS[mimeType] ?? mimeType.replace(/^.*\//, ".");
  const stem = EXTENSION.test(plain) ? plain.slice(0, -extension.length) : plain;
  const whole = cut(stem, MAX_BYTES - extension.length).replace(/[\s.]+$/, "") || "photo";
  return [DEVICE.test(whole) ? `_${whole}` : whole, extension];
}

/** Cuts to this many bytes of UTF-8 without splitting a character. */
function cut(text: string, maxBytes: number): string {
  let bytes = 0;
  let kept = "";
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}
