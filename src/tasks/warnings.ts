import { z } from "zod";

/** Warnings that a result about a photo may contain. */
export const warnings = z
  .array(z.string())
  .optional()
  .describe(
    "Warnings about how the photo was read, e.g. that only an animation's first frame was used.",
  );
