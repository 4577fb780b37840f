import { z } from "zod";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";

const parameters = z.strictObject({
  colors: z
    .int()
    .min(2)
    .max(12)
    .default(5)
    .describe("Maximum number of colours; a photo with fewer colours gives fewer."),
});

export type PaletteParameters = z.output<typeof parameters>;

const hex = z.string().describe("Colour as #rrggbb.");

const result = z.object({
  dominant: hex.describe("Colour with the largest share of the picture, as #rrggbb."),
  swatches: z
    .array(
      z.object({
        hex,
        population: z.number().min(0).max(1).describe("Share of the picture; the sum of all is 1."),
      }),
    )
    .max(12)
    .describe("Colours and their shares, the largest share first."),
  warnings,
});

export const palette = defineTask({
  name: "palette",
  title: "Palette",
  description:
    "Finds the main colours of the photo, grouped by human colour perception, and the share " +
    "of the picture that each covers. The same photo always gives the same result.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 120_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
