import { z } from "zod";
import { OUTPUT_FORMATS } from "../../imaging/formats/photo-format.js";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";

const parameters = z.strictObject({
  keepIcc: z
    .boolean()
    .default(true)
    .describe(
      "Keep the colour profile. If it is removed, the colours are converted to sRGB, so that " +
        "they look the same.",
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
    .max(500)
    .describe(
      "Removed tags as group and name, e.g. EXIF:Make, XMP:creator, Thumbnail; at most 500.",
    ),
  verifiedClean: z
    .literal(true)
    .describe("The output was checked: it contains none of the removed tags."),
  lossless: z
    .boolean()
    .describe(
      "True if the pixels were not encoded again: for most upright JPEG, PNG and WebP photos.",
    ),
  format: z
    .enum(OUTPUT_FORMATS)
    .describe(
      "The photo's format if it can be written; else JPEG, or PNG for a transparent photo.",
    ),
  warnings,
});

export const scrub = defineTask({
  name: "scrub",
  title: "Scrub",
  description:
    "Removes data about people, places and devices from the photo's file: position, serial " +
    "numbers, owners, embedded thumbnails and makers' notes. The picture stays the same.",
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
