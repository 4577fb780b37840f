import { z } from "zod";
import { OUTPUT_FORMATS } from "../../imaging/formats/photo-format.js";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";

const format = z.enum(OUTPUT_FORMATS);

const parameters = z.strictObject({
  widths: z
    .array(z.int().min(16).max(4096))
    .min(1)
    .max(10)
    .refine((widths) => new Set(widths).size === widths.length, "contains a width twice")
    .default([320, 1024])
    .meta({
      uniqueItems: true,
      description:
        "Widths in pixels. Each gives one variant, in this order. A photo is never enlarged.",
    }),
  format: format
    .default("webp")
    .describe("Format of all variants. In JPEG, transparent parts become white."),
  quality: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "Quality from 1 (smallest file) to 100 (best picture). Default: 80 for JPEG and WebP, " +
        "50 for AVIF. PNG is lossless and ignores it.",
    ),
});

export type ThumbnailParameters = z.output<typeof parameters>;

const variant = z.object({
  name: z
    .string()
    .describe(
      "Name of the output: the requested width and the extension of the format, e.g. 320w.webp.",
    ),
  width: z.int().min(1).describe("Width in pixels; less than requested if the photo is smaller."),
  height: z.int().min(1).describe("Height in pixels."),
  format: format.describe("The requested format."),
  byteSize: z.int().min(1).describe("Size of the file in bytes."),
});

const result = z.object({
  variants: z
    .array(variant)
    .max(10)
    .describe("Variants in the requested order, with one output each."),
  warnings,
});

export const thumbnail = defineTask({
  name: "thumbnail",
  title: "Thumbnails",
  description:
    "Makes one or more smaller copies of the photo, upright, in sRGB and without " +
    "metadata. The photo is decoded only once.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 120_000,
  runsIn: "child",
  countPictures: ({ widths }) => widths.length,
  load: () => import("./run.js"),
});
