import type { PhotoHeader } from "../formats/photo-header.js";
import type { PhotoFacts } from "../metadata/photo-facts.js";

// The requests of the API to its photo children. Paths are absolute; the child reads and writes the
// files itself.

export interface ProbeRequest {
  kind: "probe";
  path: string;
  /** Maximum pixels of a photo; half of this for AVIF and HEIC. */
  maxPixels: number;
  acceptHeic: boolean;
}

export interface PreviewRequest {
  kind: "preview";
  path: string;
  /** Path for the upright WebP of at most 512 pixels on its longer side. */
  outputPath: string;
  maxPixels: number;
}

/** The header of a photo, and what its tags say; null when the child stopped at the tags. */
export interface PhotoProbe extends PhotoHeader {
  facts: PhotoFacts | null;
}

export interface PhotoPreview {
  width: number;
  height: number;
  byteSize: number;
  /** Base64. */
  thumbhash: string;
  /** 16 hex digits, or null for a nearly flat picture. */
  phash: string | null;
}

export type PhotoChildRequest = ProbeRequest | PreviewRequest;

export interface PhotoChildResponse {
  probe: PhotoProbe;
  preview: PhotoPreview;
}
