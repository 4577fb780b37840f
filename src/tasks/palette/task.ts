import { z } from "zod";
import { defineTask, warnings } from "../define-task.js";

const parameters = z.strictObject({
  colors: z
    .int()
    .min(2)
    .max(12)
    .default(5)
    .describe("Colours at most; a photo with fewer gives fewer."),
});

export type PaletteParameters = z.output<typeof parameters>;

const hex = z.string().describe("As #rrggbb.");

const result = z.object({
  dominant: hex.describe("Colour of the most populous swatch, as #rrggbb."),
  swatches: z
    .array(
      z.object({
        hex,
        population: z
          .number()
          .min(0)
          .max(1)
          .describe("Part of the picture that it stands for; all sum to 1."),
      }),
    )
    .describe("The most populous first."),
  warnings,
});

export const palette = defineTask({
  name: "palette",
  title: "Palette",
  description:
    "The colours that make up the photo, grouped as the eye sees them, with how much of " +
    "the picture each takes. The same photo always gives the same answer.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 120_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
