import { z } from "zod";
import { OUTPUT_FORMATS } from "../../imaging/formats/photo-format.js";
import { defineTask, warnings } from "../define-task.js";

const format = z.enum(OUTPUT_FORMATS);

const parameters = z
  .strictObject({
    format: format.describe("What it becomes. On JPEG, what was transparent becomes white."),
    quality: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe(
        "1 (small) to 100 (faithful); 80 for JPEG and WebP, 50 for AVIF. PNG and " +
          "whatever is lossless ignore it.",
      ),
    lossless: z
      .boolean()
      .default(false)
      .describe(
        "Every pixel as decoded, at several times the size. WebP and AVIF; PNG always " +
          "is, JPEG cannot be.",
      ),
    keepMetadata: z
      .boolean()
      .default(false)
      .describe(
        "Keep camera, lens, exposure, times, place, description, artist and copyright. " +
          "The makers' own blocks and embedded thumbnails never stay.",
      ),
  })
  .refine(({ format: asked, lossless }) => !(lossless && asked === "jpeg"), {
    path: ["lossless"],
    message: "JPEG cannot be lossless: ask for WebP, AVIF or PNG",
  });

const result = z.object({
  format: format.describe("As asked for."),
  width: z.int().min(1).describe("Of the upright picture, in pixels."),
  height: z.int().min(1).describe("Of the upright picture, in pixels."),
  byteSize: z.int().min(1).describe("Size of the file in bytes."),
  ratio: z
    .number()
    .positive()
    .describe("Bytes of the output divided by bytes of the photo: below 1 is smaller."),
  warnings,
});

export type ConvertParameters = z.output<typeof parameters>;

export const convert = defineTask({
  name: "convert",
  title: "Convert",
  description: "The photo in another format, at its full size, upright and in sRGB.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
