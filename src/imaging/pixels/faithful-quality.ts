import type { OutputFormat } from "../formats/output-format.js";

/**
 * 1 to 100, for a picture that takes the photo's place and is not meant to be smaller. AVIF's scale
 * is another: its 65 looks like JPEG's 90.
 */
export const FAITHFUL_QUALITY = {
  jpeg: 90,
  webp: 90,
  avif: 65,
  png: 100,
} as const satisfies Record<OutputFormat, number>;
