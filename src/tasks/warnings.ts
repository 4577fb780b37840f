import { z } from "zod";

/** What any result about a photo may carry. */
export const warnings = z
  .array(z.string())
  .optional()
  .describe(
    "What to know of how the photo was read, e.g. that it is the first frame of an animation.",
  );
