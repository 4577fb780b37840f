const HEADER = 128;
const TAG = 12;

/**
 * True when a colour profile's header and its table of tags are consistent (ICC.1:2022, 7.2 and
 * 7.3). The image library silently treats an inconsistent profile as sRGB.
 */
export function iccProfileIsSound(profile: Buffer): boolean {
  if (profile.length < HEADER + 4 || profile.readUInt32BE(0) > profile.length) return false;
  if (profile.toString("latin1", 36, 40) !== "acsp") return false;
  const tags = profile.readUInt32BE(HEADER);
  if (tags === 0 || HEADER + 4 + tags * TAG > profile.length) return false;
  return Array.from({ length: tags }, (_, index) => HEADER + 4 + index * TAG).every(
    (at) => profile.readUInt32BE(at + 4) + profile.readUInt32BE(at + 8) <= profile.length,
  );
}
