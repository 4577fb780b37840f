import { z } from "zod";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";

const PART = "(?:[1-9]\\d{0,3}(?:\\.\\d{1,4})?|0\\.\\d{0,3}[1-9])";

const ratio = z
  .string()
  .max(21)
  .regex(new RegExp(`^${PART}:${PART}$`), "is not a ratio of width to height such as 16:9");

const parameters = z.strictObject({
  ratios: z
    .array(ratio)
    .min(1)
    .max(10)
    .refine((ratios) => new Set(ratios).size === ratios.length, "contains a ratio twice")
    .default(["1:1"])
    .meta({
      uniqueItems: true,
      description:
        "Ratios of width to height, e.g. 1:1, 16:9 or 1.91:1. Each gives one crop, in this order.",
    }),
  strategy: z
    .enum(["attention", "entropy", "center"])
    .default("attention")
    .describe(
      "Part of the photo to keep. `attention`: the most striking part (strong colours, skin, " +
        "contrast); `entropy`: the part with most detail; `center`: the middle.",
    ),
  width: z
    .int()
    .min(16)
    .max(4096)
    .optional()
    .describe(
      "Maximum width of the outputs in pixels; larger crops are scaled down. Default: crops " +
        "are not scaled.",
    ),
});

export type CropParameters = z.output<typeof parameters>;

const pixels = z.int().min(0);

const croppedBox = z.object({
  ratio: z.string().describe("The requested ratio."),
  left: pixels.describe("Left edge of the box, in pixels of the upright photo."),
  top: pixels.describe("Top edge of the box, in pixels of the upright photo."),
  width: pixels.min(1).describe("Width of the box; the output may be scaled down."),
  height: pixels.min(1).describe("Height of the box; the output may be scaled down."),
});

const result = z.object({
  crops: z
    .array(croppedBox)
    .max(10)
    .describe("The largest box of each ratio, in the requested order, with one output each."),
  warnings,
});

export const crop = defineTask({
  name: "crop",
  title: "Crop",
  description:
    "Crops the photo to one or more aspect ratios, each as large as possible, around its " +
    "most important part. Outputs have the photo's format if tasks can write it, else JPEG.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  countPictures: ({ ratios }) => ratios.length,
  load: () => import("./run.js"),
});
