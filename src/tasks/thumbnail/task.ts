import { z } from "zod";
import { OUTPUT_FORMATS } from "../../imaging/formats/photo-format.js";
import { defineTask, warnings } from "../define-task.js";

const format = z.enum(OUTPUT_FORMATS);

const parameters = z.strictObject({
  widths: z
    .array(z.int().min(16).max(4096))
    .min(1)
    .max(10)
    .refine((widths) => new Set(widths).size === widths.length, "names a width twice")
    .default([320, 1024])
    .meta({
      uniqueItems: true,
      description: "Widths in pixels, one variant each, in this order. A photo is never enlarged.",
    }),
  format: format
    .default("webp")
    .describe("Format of all variants. On JPEG, what was transparent becomes white."),
  quality: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "1 (small) to 100 (faithful); 80 for JPEG and WebP, 50 for AVIF. PNG is lossless " +
        "and ignores it.",
    ),
});

export type ThumbnailParameters = z.output<typeof parameters>;

const variant = z.object({
  name: z
    .string()
    .describe("Of the output: the width asked for and the format's extension, e.g. 320w.webp."),
  width: z.int().min(1).describe("In pixels; less than asked for where the photo is smaller."),
  height: z.int().min(1).describe("In pixels."),
  format: format.describe("As asked for."),
  byteSize: z.int().min(1).describe("Size of the file in bytes."),
});

const result = z.object({
  variants: z.array(variant).describe("In the order asked for, one output each."),
  warnings,
});

export const thumbnail = defineTask({
  name: "thumbnail",
  title: "Thumbnails",
  description:
    "Smaller copies of the photo, upright, in sRGB and without metadata, as many as " +
    "asked for and all from one decode.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 120_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
