import { z } from "zod";
import { OUTPUT_FORMATS } from "../../imaging/formats/photo-format.js";
import { defineTask, warnings } from "../define-task.js";

const parameters = z.strictObject({
  keepIcc: z
    .boolean()
    .default(true)
    .describe(
      "Keep the colour profile. Without it the colours are brought to sRGB, so that they " +
        "look the same.",
    ),
  keepCopyright: z
    .boolean()
    .default(true)
    .describe("Keep the copyright and the artist's name, from EXIF, else IPTC, else XMP."),
});

export type ScrubParameters = z.output<typeof parameters>;

const result = z.object({
  removed: z
    .array(z.string())
    .describe(
      "What was taken out, as group and tag: EXIF:Make, XMP:creator, Thumbnail; at most 500.",
    ),
  verifiedClean: z
    .literal(true)
    .describe("The output was read again: none of it is there any more."),
  lossless: z
    .boolean()
    .describe("True where the coded picture was left as it was: upright JPEG, PNG and WebP."),
  format: z
    .enum(OUTPUT_FORMATS)
    .describe(
      "The photo's own where it can be written; else JPEG, or PNG where it is transparent.",
    ),
  warnings,
});

export const scrub = defineTask({
  name: "scrub",
  title: "Scrub",
  description:
    "The same picture without what its file tells of people, places and devices: no " +
    "position, serial numbers, owners, embedded thumbnails or makers' notes.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
