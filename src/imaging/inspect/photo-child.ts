// The entry of the API's child processes: reads headers and makes previews of new uploads.

import { writeFile } from "node:fs/promises";
import { decodePreview } from "../pixels/decode-photo.js";
import { encodePixels } from "../pixels/encode-pixels.js";
import { perceptualHashOf } from "../fingerprints/perceptual-hash.js";
import type { PhotoChildRequest, PhotoPreview, PreviewRequest } from "./photo-child-request.js";
import { readPhotoHeader } from "../formats/photo-header.js";
import { serveChild } from "../../child-pool/serve-child.js";
import { thumbhashOf } from "../fingerprints/thumbhash.js";

serveChild((request) => {
  const typed = request as PhotoChildRequest;
  return typed.kind === "probe" ? readPhotoHeader(typed.path, typed) : makePreview(typed);
});

async function makePreview({ path, outputPath, maxPixels }: PreviewRequest): Promise<PhotoPreview> {
  const { pixels } = await decodePreview(path, { maxPixels });
  const webp = await encodePixels(pixels, "webp");
  await writeFile(outputPath, webp);
  const thumbhash = Buffer.from(await thumbhashOf(pixels)).toString("base64");
  const { width, height } = pixels;
  return {
    width,
    height,
    byteSize: webp.byteLength,
    thumbhash,
    phash: await perceptualHashOf(pixels),
  };
}
