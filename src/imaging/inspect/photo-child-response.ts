import { lstat } from "node:fs/promises";
import { z } from "zod";
import type {
  PhotoChildRequest,
  PhotoChildResponse,
  PhotoPreview,
  PhotoProbe,
} from "./photo-child-request.js";
import { PHOTO_FORMATS, type PhotoFormat } from "../formats/photo-format.js";
import type { PhotoFacts } from "../metadata/photo-facts.js";

const side = z.int().min(1).max(65_535);

const text = z.string().min(1).max(200).nullable();

const facts: z.ZodType<PhotoFacts> = z.object({
  takenAt: z.iso
    .datetime({ local: true, precision: 0 })
    .refine((time) => !time.endsWith("Z"))
    .nullable(),
  takenAtOffset: z
    .string()
    .regex(/^[+-]\d\d:\d\d$/)
    .nullable(),
  location: z
    .object({
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      altitude: z.number().nullable(),
    })
    .nullable(),
  camera: text,
  lens: text,
  orientation: z.int().min(1).max(8).nullable(),
});

const probe: z.ZodType<PhotoProbe> = z
  .object({
    format: z.enum(Object.keys(PHOTO_FORMATS) as PhotoFormat[]),
    mimeType: z.string(),
    width: side,
    height: side,
    pages: z.int().min(1),
    orientation: z.int().min(1).max(8),
    facts: facts.nullable(),
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

/** Checks a child's answer; throws when it is not valid for this kind of request. */
export function parsePhotoChildResponse<Kind extends PhotoChildRequest["kind"]>(
  kind: Kind,
  answer: unknown,
): PhotoChildResponse[Kind] {
  return schemas[kind].parse(answer) as PhotoChildResponse[Kind];
}

/**
 * Size of a file that a child wrote. Throws on a symbolic link, which could lead to any file that
 * the parent may read.
 */
export async function sizeOfPlainFile(path: string): Promise<number> {
  const stats = await lstat(path);
  if (!stats.isFile()) throw new Error("The file that a child wrote is not a regular file.");
  return stats.size;
}
