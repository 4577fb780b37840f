interface TiffPicture {
  width: number;
  height: number;
  channels: 3 | 4;
  /** Whether the colours were multiplied with the alpha. */
  premultiplied: boolean;
  iccProfile: Buffer | null;
}

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

/**
 * What stands before the raw pixels of an uncompressed little-endian TIFF of one strip, 8 bits a
 * channel: the shortest way to hand over pixels together with their profile. TIFF 6.0, sections 2,
 * 6 and 18; the profile's tag is of ICC.1, annex B.
 */
export function tiffHeader({
  width,
  height,
  channels,
  premultiplied,
  iccProfile,
}: TiffPicture): Buffer {
  const hasAlpha = channels === 4;
  const count = 10 + Number(hasAlpha) + Number(iccProfile !== null);
  const bitsAt = 8 + 2 + 12 * count + 4;
  const profileAt = bitsAt + 2 * channels;
  const pixelsAt = profileAt + (iccProfile?.length ?? 0);
  const entries: [tag: number, type: number, count: number, value: number][] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, channels, bitsAt],
    [259, SHORT, 1, 1], // not compressed
    [262, SHORT, 1, 2], // RGB
    [273, LONG, 1, pixelsAt],
    [277, SHORT, 1, channels],
    [278, LONG, 1, height],
    [279, LONG, 1, width * height * channels],
    [284, SHORT, 1, 1], // interleaved
    ...(hasAlpha
      ? ([[338, SHORT, 1, premultiplied ? 1 : 2]] as [number, number, number, number][])
      : []),
    ...(iccProfile
      ? ([[34_675, UNDEFINED, iccProfile.length, profileAt]] as [number, number, number, number][])
      : []),
  ];
  const header = Buffer.alloc(pixelsAt);
  header.write("II*\0\x08\0\0\0", "latin1");
  header.writeUInt16LE(count, 8);
  entries.forEach((entry, index) => writeEntry(header, 10 + 12 * index, entry));
  for (let channel = 0; channel < channels; channel++)
    header.writeUInt16LE(8, bitsAt + 2 * channel);
  iccProfile?.copy(header, profileAt);
  return header;
}

function writeEntry(
  header: Buffer,
  at: number,
  [tag, type, count, value]: [number, number, number, number],
): void {
  header.writeUInt16LE(tag, at);
  header.writeUInt16LE(type, at + 2);
  header.writeUInt32LE(count, at + 4);
  // A lone SHORT stands in the first two bytes: little-endian, that is the same.
  header.writeUInt32LE(value, at + 8);
}
