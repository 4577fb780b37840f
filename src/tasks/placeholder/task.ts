import { z } from "zod";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";

const parameters = z.strictObject({});

const result = z.object({
  thumbhash: z
    .string()
    .describe("Thumbhash in base64: a blurred picture with its aspect ratio and transparency."),
  blurhash: z.string().describe("Blurhash with 4 × 3 components; transparent parts are white."),
  lqip: z
    .string()
    .describe("A WebP of at most 16 pixels per side as a data URI, for a page to show blurred."),
  averageColor: z.string().describe("Mean colour as #rrggbb, weighted by opacity."),
  aspectRatio: z.number().positive().describe("Width divided by height of the upright photo."),
  warnings,
});

export const placeholder = defineTask({
  name: "placeholder",
  title: "Placeholder",
  description:
    "Computes placeholders for a page while the photo loads: thumbhash, blurhash, a tiny " +
    "inline picture, the average colour and the aspect ratio.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 120_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
