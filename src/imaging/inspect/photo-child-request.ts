import type { PhotoHeader } from "../formats/photo-header.js";

// What the API asks of its photo children. Paths are absolute; the child reads and writes the files
// itself.

export interface ProbeRequest {
  kind: "probe";
  path: string;
  /** Pixels a photo may have; half of it for AVIF and HEIC. */
  maxPixels: number;
  acceptHeic: boolean;
}

export interface PreviewRequest {
  kind: "preview";
  path: string;
  /** Where the WebP goes, upright, at most 512 pixels on its longer side. */
  outputPath: string;
  maxPixels: number;
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

/** The answer to each kind of request. */
export interface PhotoChildResponse {
  probe: PhotoHeader;
  preview: PhotoPreview;
}
