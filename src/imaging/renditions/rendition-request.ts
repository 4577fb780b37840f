/** The formats of renditions: those that browsers show and that can be small. */
export type RenditionFormat = "avif" | "webp" | "jpeg";

/** The request of the API to a child that makes renditions; paths are absolute. */
export interface RenditionRequest {
  path: string;
  maxPixels: number;
  /** Size in pixels, never larger than the photo. */
  width: number;
  height: number;
  format: RenditionFormat;
  outputPath: string;
}
