import { z } from "zod";
import { OUTPUT_FORMATS } from "../../imaging/formats/photo-format.js";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";

const format = z.enum(OUTPUT_FORMATS);

const parameters = z
  .strictObject({
    format: format
      .describe("Format of the output. In JPEG, transparent parts become white.")
      .meta({ examples: ["webp"] }),
    quality: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe(
        "Quality from 1 (smallest file) to 100 (best picture). Default: 80 for JPEG and " +
          "WebP, 50 for AVIF. PNG and lossless outputs ignore it.",
      ),
    lossless: z
      .boolean()
      .default(false)
      .describe(
        "Keep every pixel exactly, which makes the file several times larger. For WebP and " +
          "AVIF: PNG is always lossless, JPEG never.",
      ),
    keepMetadata: z
      .boolean()
      .default(false)
      .describe(
        "Keep camera, lens, exposure, times, place, description, artist and copyright. " +
          "Data in camera makers' own formats and embedded thumbnails are always removed.",
      ),
  })
  .refine(({ format: wanted, lossless }) => !(lossless && wanted === "jpeg"), {
    path: ["lossless"],
    message: "JPEG cannot be lossless: choose WebP, AVIF or PNG",
  });

const result = z.object({
  format: format.describe("Format of the output."),
  width: z.int().min(1).describe("Width of the upright picture, in pixels."),
  height: z.int().min(1).describe("Height of the upright picture, in pixels."),
  byteSize: z.int().min(1).describe("Size of the file in bytes."),
  ratio: z
    .number()
    .positive()
    .describe("Bytes of the output divided by bytes of the photo; below 1 the output is smaller."),
  warnings,
});

export type ConvertParameters = z.output<typeof parameters>;

export const convert = defineTask({
  name: "convert",
  title: "Convert",
  description: "Converts the photo to another format, at full size, upright and in sRGB.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  countPictures: () => 1,
  load: () => import("./run.js"),
});
