import { z } from "zod";
import { defineTask, warnings } from "../define-task.js";

const parameters = z.strictObject({});

const result = z.object({
  thumbhash: z
    .string()
    .describe(
      "Thumbhash, base64: unfolds to a blurred picture with its aspect ratio and transparency.",
    ),
  blurhash: z
    .string()
    .describe("Blurhash of 4 × 3 components; on white where the photo is transparent."),
  lqip: z
    .string()
    .describe("A WebP of 16 pixels as a data URI, to be put into a page and blurred there."),
  averageColor: z.string().describe("Mean colour as #rrggbb, weighted by opacity."),
  aspectRatio: z.number().positive().describe("Width divided by height of the upright photo."),
  warnings,
});

export const placeholder = defineTask({
  name: "placeholder",
  title: "Placeholder",
  description:
    "What a page shows while the photo loads: thumbhash, blurhash, a tiny inline " +
    "picture, the average colour and the aspect ratio.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 120_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
