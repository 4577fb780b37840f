// The entry of the child processes that make renditions. Each comes from the original: a stored
// rendition is never a source, because its picture would be lossy twice.
import { writeFile } from "node:fs/promises";
import { storageRefusesFiles } from "../../domain/errors.js";
import { serveChild } from "../../child-pool/serve-child.js";
import { decodePhoto } from "../pixels/decode-photo.js";
import { encodePixels } from "../pixels/encode-pixels.js";
import { shrinkPixels } from "../pixels/pixels.js";
import type { RenditionRequest } from "./rendition-request.js";

serveChild((request) => makeRendition(request as RenditionRequest));

async function makeRendition(request: RenditionRequest): Promise<null> {
  const { path, maxPixels, width, height, format, outputPath } = request;
  const { pixels } = await decodePhoto(path, { maxPixels, width });
  const bytes = await encodePixels(await shrinkPixels(pixels, width, height), format);
  // A full disk is not the photo's fault.
  await writeFile(outputPath, bytes).catch((cause: unknown) => {
    throw storageRefusesFiles(cause);
  });
  return null;
}
