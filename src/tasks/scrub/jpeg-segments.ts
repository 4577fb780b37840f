export interface JpegSegment {
  /** The second byte of its marker. */
  marker: number;
  /** Whole, from the marker to its end; a scan with the coded picture that follows it. */
  bytes: Buffer;
}

export const MARKERS = {
  dac: 0xcc,
  endOfImage: 0xd9,
  scan: 0xda,
  tables: 0xdb,
  app0: 0xe0,
  app1: 0xe1,
  app2: 0xe2,
  app14: 0xee,
  app15: 0xef,
  comment: 0xfe,
} as const;

/**
 * The segments between the start and the (first) end of a JPEG (ITU-T T.81, annex B), of which the
 * end may be missing; null when their chain is broken or holds something that no picture needs.
 */
export function readJpegSegments(file: Buffer): JpegSegment[] | null {
  const segments: JpegSegment[] = [];
  let at = 2;
  while (at < file.length) {
    if (file[at] !== 0xff) return null;
    while (file[at] === 0xff) at++;
    const marker = file[at] ?? MARKERS.endOfImage;
    if (marker === MARKERS.endOfImage) break;
    const end = endOfSegment(file, marker, at + 1);
    if (end === null) return null;
    // From the last of the fill bytes on.
    segments.push({ marker, bytes: file.subarray(at - 1, end) });
    at = end;
  }
  return segments.some(({ marker }) => marker === MARKERS.scan) ? segments : null;
}

function endOfSegment(file: Buffer, marker: number, at: number): number | null {
  // Frames, tables, scans, intervals, what applications say, comments: all of these have a length.
  const isKnown =
    (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8) ||
    (marker >= 0xda && marker <= 0xdd) ||
    (marker >= MARKERS.app0 && marker <= MARKERS.app15) ||
    marker === MARKERS.comment;
  if (!isKnown || at + 2 > file.length) return null;
  const length = file.readUInt16BE(at);
  if (length < 2 || at + length > file.length) return null;
  return marker === MARKERS.scan ? endOfScan(file, at + length) : at + length;
}

/**
 * The coded picture goes on until a marker that neither stands for the byte FF nor begins the next
 * restart interval.
 */
function endOfScan(file: Buffer, from: number): number {
  for (let at = file.indexOf(0xff, from); at !== -1; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return file.length;
}
