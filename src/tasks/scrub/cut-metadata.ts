import { cutJpeg } from "./cut-jpeg.js";
import { cutPng } from "./cut-png.js";
import { cutWebp } from "./cut-webp.js";
import type { KeptMetadata } from "./kept-metadata.js";

/**
 * The same file without its metadata, no pixel touched; null where this cannot be done and the
 * picture has to be encoded anew.
 */
export function cutMetadata(format: string, file: Buffer, kept: KeptMetadata): Buffer | null {
  switch (format) {
    case "jpeg":
      return cutJpeg(file, kept);
    case "png":
      return cutPng(file, kept);
    case "webp":
      return cutWebp(file, kept);
    default:
      return null;
  }
}
