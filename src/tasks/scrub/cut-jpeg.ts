import { MARKERS, readJpegSegments, type JpegSegment } from "./jpeg-segments.js";
import type { KeptMetadata } from "./kept-metadata.js";

const START = Buffer.from([0xff, 0xd8]);
const END = Buffer.from([0xff, 0xd9]);

/**
 * The same coded picture with only the segments that it needs, and nothing behind its end; null for
 * a broken file.
 */
export function cutJpeg(file: Buffer, kept: KeptMetadata): Buffer | null {
  const segments = readJpegSegments(file);
  if (segments === null) return null;
  const own = kept.exif === null ? [] : [exifSegment(kept.exif)];
  return Buffer.concat([
    START,
    ...own,
    ...segments.flatMap((segment) => partOf(segment, kept)),
    END,
  ]);
}

function partOf({ marker, bytes }: JpegSegment, kept: KeptMetadata): Buffer[] {
  if (marker === MARKERS.app0)
    return hasName(bytes, "JFIF\0") && bytes.length >= 18 ? [plainJfif(bytes)] : [];
  if (marker === MARKERS.app2) return kept.icc && hasName(bytes, "ICC_PROFILE\0") ? [bytes] : [];
  // Says how the channels are to be understood; without it CMYK comes out as its negative.
  if (marker === MARKERS.app14)
    return hasName(bytes, "Adobe") && bytes.length >= 16 ? [plainAdobe(bytes)] : [];
  const isTold = (marker >= MARKERS.app0 && marker <= MARKERS.app15) || marker === MARKERS.comment;
  return isTold ? [] : [bytes];
}

function hasName(segment: Buffer, name: string): boolean {
  return segment.toString("latin1", 4, 4 + name.length) === name;
}

/** Version and density; a thumbnail may follow them. */
function plainJfif(bytes: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([0xff, MARKERS.app0, 0, 16]),
    bytes.subarray(4, 16),
    Buffer.from([0, 0]),
  ]);
}

function plainAdobe(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xff, MARKERS.app14, 0, 14]), bytes.subarray(4, 16)]);
}

function exifSegment(exif: Buffer): Buffer {
  const head = Buffer.from("\xff\xe1\0\0Exif\0\0", "latin1");
  head.writeUInt16BE(head.length - 2 + exif.length, 2);
  return Buffer.concat([head, exif]);
}
