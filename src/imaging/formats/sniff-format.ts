import { PhotoUnreadableError } from "../../domain/errors.js";
import { acceptedFormats, type PhotoFormat } from "./photo-format.js";

/**
 * Number of bytes from the start of a file that `sniffFormat` needs; fewer when the file is
 * shorter.
 */
export const SNIFFED_BYTES = 512;

const WITHOUT_HEIC = acceptedFormats({ acceptHeic: false });
/** Message for HEIC photos when ACCEPT_HEIC is off. */
export const HEIC_NOT_ACCEPTED = `HEIC photos are not accepted here. Upload it as ${WITHOUT_HEIC}.`;

/**
 * The format according to the first bytes of a file; its name is ignored. Throws
 * PhotoUnreadableError with a message that says what the file is instead. This is only a first
 * check for clear messages: the decoder reads the header afterwards.
 */
export function sniffFormat(
  head: Uint8Array,
  { acceptHeic = true }: { acceptHeic?: boolean | undefined } = {},
): PhotoFormat {
  if (head.length === 0) throw new PhotoUnreadableError("The file is empty.");
  const latin = Buffer.from(head).toString("latin1");
  for (const [format, test] of PHOTOS) if (test(latin)) return format;
  const other = OTHERS.find(([, test]) => test(latin))?.[0];
  const finding =
    other === undefined ? "This is not a photo of a known format" : `This is ${other}`;
  throw new PhotoUnreadableError(`${finding}. Upload it as ${acceptedFormats({ acceptHeic })}.`);
}

// In these strings one character is one byte.
type Test = (head: string) => boolean;

const at =
  (offset: number, ...signatures: string[]): Test =>
  (head) =>
    signatures.some((signature) => head.startsWith(signature, offset));
const all =
  (...tests: Test[]): Test =>
  (head) =>
    tests.every((test) => test(head));
const any =
  (...tests: Test[]): Test =>
  (head) =>
    tests.some((test) => test(head));
const not =
  (test: Test): Test =>
  (head) =>
    !test(head);
const matches =
  (pattern: RegExp): Test =>
  (head) =>
    pattern.test(head);

/**
 * ISO/IEC 23008-12: a file type box has the major brand at 8 and the compatible brands from 16 to
 * its end.
 */
const brand =
  (...names: string[]): Test =>
  (head) => {
    if (!head.startsWith("ftyp", 4)) return false;
    const end = Buffer.from(head.slice(0, 4), "latin1").readUInt32BE(0);
    const brands = [head.slice(8, 12), ...(head.slice(16, end).match(/.{4}/gs) ?? [])];
    return brands.some((name) => names.includes(name));
  };

/** Canon's raw format begins like TIFF, but browsers cannot show it. */
const isCr2 = all(at(0, "II\x2a\0"), at(8, "CR"));

const PHOTOS: [PhotoFormat, Test][] = [
  ["jpeg", at(0, "\xff\xd8\xff")],
  ["png", at(0, "\x89PNG\r\n\x1a\n")],
  ["webp", all(at(0, "RIFF"), at(8, "WEBP"))],
  ["gif", at(0, "GIF87a", "GIF89a")],
  // The last two signatures are those of BigTIFF.
  ["tiff", all(at(0, "II\x2a\0", "MM\0\x2a", "II\x2b\0", "MM\0\x2b"), not(isCr2))],
  ["avif", brand("avif", "avis")],
  ["heic", brand("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")],
];

const OTHERS: [string, Test][] = [
  ["a camera's raw file", any(isCr2, at(0, "FUJIFILMCCD-RAW"), brand("crx "))],
  [
    "a video",
    any(at(4, "ftyp", "moov"), at(0, "\x1a\x45\xdf\xa3"), all(at(0, "RIFF"), at(8, "AVI "))),
  ],
  ["a JPEG XL picture, which is not accepted", at(0, "\xff\x0a", "\0\0\0\x0cJXL ")],
  ["a JPEG 2000 picture, which is not accepted", at(0, "\0\0\0\x0cjP  ", "\xff\x4f\xff\x51")],
  ["a Photoshop document, not a photo", at(0, "8BPS")],
  ["a BMP picture, which is not accepted", all(at(0, "BM"), at(6, "\0\0\0\0"))],
  ["an icon, not a photo", at(0, "\0\0\x01\0", "\0\0\x02\0")],
  ["a PDF document, not a photo", at(0, "%PDF-")],
  [
    "an archive, not a photo",
    at(0, "PK\x03\x04", "PK\x05\x06", "Rar!", "7z\xbc\xaf", "\x1f\x8b", "BZh"),
  ],
  [
    "an SVG drawing, not a photo",
    matches(
      /^(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)[^]*<svg[\s>/]|^\s*<svg[\s>/]/i,
    ),
  ],
  [
    "a web page, not a photo",
    matches(/^(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html|<head|<body)/i),
  ],
  ["text, not a photo", matches(/^(?:\xef\xbb\xbf)?[\t\n\r\x20-\x7e\x80-\xff]+$/)],
];
