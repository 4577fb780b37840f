import { lstat } from "node:fs/promises";
import { z } from "zod";
import type { PhotoChildRequest, PhotoChildResponse, PhotoPreview } from "./photo-child-request.js";
import { PHOTO_FORMATS, type PhotoFormat } from "../formats/photo-format.js";
import type { PhotoHeader } from "../formats/photo-header.js";

const side = z.int().min(1).max(65_535);

const probe: z.ZodType<PhotoHeader> = z
  .object({
    format: z.enum(Object.keys(PHOTO_FORMATS) as PhotoFormat[]),
    mimeType: z.string(),
    width: side,
    height: side,
    pages: z.int().min(1),
    orientation: z.int().min(1).max(8),
  })
  .refine(({ format, mimeType }) => mimeType === PHOTO_FORMATS[format].mimeType);

const preview: z.ZodType<PhotoPreview> = z.object({
  width: side,
  height: side,
  byteSize: z.number(),
  thumbhash: z.base64().max(100),
  phash: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .nullable(),
});

const schemas = { probe, preview };

/** What a child answered, checked. Throws when no child of ours answers so. */
export function parsePhotoChildResponse<Kind extends PhotoChildRequest["kind"]>(
  kind: Kind,
  answer: unknown,
): PhotoChildResponse[Kind] {
  return schemas[kind].parse(answer) as PhotoChildResponse[Kind];
}

/** The size of a file that a child wrote. A link would lead to any file its parent may read. */
export async function sizeOfPlainFile(path: string): Promise<number> {
  const stats = await lstat(path);
  if (!stats.isFile()) throw new Error("What a child wrote is not a plain file.");
  return stats.size;
}
