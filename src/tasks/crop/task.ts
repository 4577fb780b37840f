import { z } from "zod";
import { defineTask, warnings } from "../define-task.js";

const PART = "(?:[1-9]\\d{0,3}(?:\\.\\d{1,4})?|0\\.\\d{0,3}[1-9])";

const ratio = z
  .string()
  .max(21)
  .regex(new RegExp(`^${PART}:${PART}$`), "is no ratio of width to height such as 16:9");

const parameters = z.strictObject({
  ratios: z
    .array(ratio)
    .min(1)
    .max(10)
    .refine((ratios) => new Set(ratios).size === ratios.length, "names a ratio twice")
    .default(["1:1"])
    .meta({
      uniqueItems: true,
      description: "Width to height, such as 1:1, 16:9 or 1.91:1: one crop each, in this order.",
    }),
  strategy: z
    .enum(["attention", "entropy", "center"])
    .default("attention")
    .describe(
      "What to keep in sight: what draws the eye (strong colours, skin, contrast), where " +
        "most detail is, or the middle.",
    ),
  width: z
    .int()
    .min(16)
    .max(4096)
    .optional()
    .describe(
      "Scales the outputs down to this width in pixels; they are never enlarged. Without " +
        "it they have the photo's own pixels.",
    ),
});

export type CropParameters = z.output<typeof parameters>;

const pixels = z.int().min(0);

const croppedBox = z.object({
  ratio: z.string().describe("As asked for."),
  left: pixels.describe("Of the box, in pixels of the upright photo."),
  top: pixels.describe("Of the box, in pixels of the upright photo."),
  width: pixels.min(1).describe("Of the box, not of the output, which may be scaled down."),
  height: pixels.min(1).describe("Of the box, not of the output, which may be scaled down."),
});

const result = z.object({
  crops: z
    .array(croppedBox)
    .describe("In the order asked for, one output each: the largest box of its ratio."),
  warnings,
});

export const crop = defineTask({
  name: "crop",
  title: "Crop",
  description:
    "The photo cut to one or more aspect ratios, each as large as it can be, around what " +
    "matters in it. In the photo's own format where tasks write it, else JPEG.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
