/** What of a photo's metadata stays when all else is cut out. */
export interface KeptMetadata {
  icc: boolean;
  /** A TIFF structure (see `writeExifBlock`) that takes the place of whatever was there. */
  exif: Buffer | null;
}
