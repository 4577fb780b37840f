import { readFile } from "node:fs/promises";
import { PermanentTaskError } from "../../domain/errors.js";
import { decodePreview } from "../../imaging/pixels/decode-photo.js";
import { writeExifBlock } from "../../imaging/metadata/exif-block.js";
import {
  OUTPUT_FILES,
  outputFormatOf,
  DEFAULT_MAX_PIXELS,
} from "../../imaging/formats/photo-format.js";
import { readPhotoHeader } from "../../imaging/formats/photo-header.js";
import { readEveryTag, type FoundTag } from "../../imaging/metadata/read-every-tag.js";
import { readPhotoTags } from "../../imaging/metadata/read-photo-tags.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import { cutMetadata, type KeptMetadata } from "./cut-metadata.js";
import { findLeftovers, tagName } from "./find-leftovers.js";
import { photoRights, type PhotoRights } from "./photo-rights.js";
import { reencode, type Reencoded } from "./reencode.js";
import type { ScrubParameters } from "./task.js";

const MAX_REMOVED = 500;

export async function run(context: TaskContext<ScrubParameters>) {
  const { photos, signal, progress, output, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const { keepIcc, keepCopyright } = context.parameters;
  const photo = onlyPhoto(photos);
  progress(0, "reading the tags");
  const { width, height, format, orientation } = await readPhotoHeader(photo.path, { maxPixels });
  const file = await readFile(photo.path);
  const before = await readEveryTag(file);
  const rights = keepCopyright
    ? photoRights((await readPhotoTags(file)).tags)
    : { copyright: null, artist: null };
  signal.throwIfAborted();
  progress(0.2, "removing the tags");
  const kept = { icc: keepIcc, exif: rightsBlock(rights) };
  const mayCut = orientation === 1 && (keepIcc || isSrgb(before));
  const leftoversOf = (data: Buffer) => findLeftovers(data, before, { icc: keepIcc, rights });
  const cut = mayCut ? await cutOut(photo.path, file, { format, maxPixels }, kept) : null;
  // Metadata inside the coded picture disappears only when the picture is encoded again.
  const cleanCut = cut !== null && (await leftoversOf(cut.data)).length === 0 ? cut : null;
  signal.throwIfAborted();
  const result = cleanCut ?? (await reencode(photo.path, { file, format, maxPixels }, kept));
  signal.throwIfAborted();
  progress(0.8, "checking the output");
  if (cleanCut === null) refuseUnclean(await leftoversOf(result.data));
  progress(0.95, "writing");
  const { extension, mimeType } = OUTPUT_FILES[result.format];
  await output({ name: `scrubbed.${extension}`, mimeType, width, height, data: result.data });
  const removed = await removedNames(before, result.data);
  progress(1, "done");
  return {
    removed,
    verifiedClean: true as const,
    lossless: cleanCut !== null,
    format: result.format,
    ...(result.warnings.length > 0 && { warnings: result.warnings }),
  };
}

function rightsBlock({ copyright, artist }: PhotoRights): Buffer | null {
  return writeExifBlock({
    main: {
      ...(copyright !== null && { Copyright: copyright }),
      ...(artist !== null && { Artist: artist }),
    },
  });
}

/** True when the pixels are sRGB; other pixels need their profile or a conversion. */
function isSrgb(tags: FoundTag[]): boolean {
  const profile = tags.filter(({ group }) => group === "ICC");
  return (
    profile.length === 0 ||
    profile.some(({ name, text }) => name === "ICC Description" && /sRGB/i.test(text ?? ""))
  );
}

/**
 * Cuts out the metadata; null when the picture must be encoded again. A small decode checks the
 * picture, because a damaged photo must be rejected.
 */
async function cutOut(
  path: string,
  file: Buffer,
  { format, maxPixels }: { format: string; maxPixels: number },
  kept: KeptMetadata,
): Promise<Reencoded | null> {
  const data = cutMetadata(format, file, kept);
  if (data === null) return null;
  const { warnings } = await decodePreview(path, { maxPixels });
  // An animation keeps all its frames, so this warning does not apply.
  return {
    data,
    format: outputFormatOf(format),
    warnings: warnings.filter((warning) => !warning.startsWith("first frame")),
  };
}

/** The error is permanent, because another attempt would find the same. */
function refuseUnclean(leftovers: string[]): void {
  if (leftovers.length > 0)
    throw new PermanentTaskError(
      "TASK_FAILED",
      "The photo could not be scrubbed: the output still contains " +
        `${leftovers.slice(0, 5).join(", ")}. The output was discarded.`,
    );
}

async function removedNames(before: FoundTag[], data: Buffer): Promise<string[]> {
  const still = new Set((await readEveryTag(data)).map(tagName));
  return [...new Set(before.map(tagName))].filter((name) => !still.has(name)).slice(0, MAX_REMOVED);
}
