// The entry of the API's child processes: reads headers and makes previews of new uploads.

import { writeFile } from "node:fs/promises";
import { decodePreview } from "../pixels/decode-photo.js";
import { encodePixels } from "../pixels/encode-pixels.js";
import { perceptualHashOf } from "../fingerprints/perceptual-hash.js";
import type {
  PhotoChildRequest,
  PhotoPreview,
  PhotoProbe,
  PreviewRequest,
  ProbeRequest,
} from "./photo-child-request.js";
import { readPhotoHeader } from "../formats/photo-header.js";
import { serveChild, type ChildTools } from "../../child-pool/serve-child.js";
import { thumbhashOf } from "../fingerprints/thumbhash.js";

serveChild((request, tools) => {
  const typed = request as PhotoChildRequest;
  return typed.kind === "probe" ? probe(typed, tools) : makePreview(typed);
});

/** Reads the tags after the header, which refuses what is not a photo. */
async function probe(request: ProbeRequest, { ask }: ChildTools): Promise<PhotoProbe> {
  const header = await readPhotoHeader(request.path, request);
  // If the tags stop this process, the parent has the header all the same.
  await ask("header", header);
  // The library of tags is loaded for the first photo.
  const { readPhotoFacts } = await import("../metadata/photo-facts.js");
  const facts = await readPhotoFacts(request.path, header.format);
  return { ...header, facts: { ...facts, orientation: facts.orientation ?? header.orientation } };
}

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
