import { z } from "zod";
import { defineTask } from "../define-task.js";

const parameters = z.strictObject({
  columns: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "Photos side by side; the square root of their number, rounded up, when absent. " +
        "Never more than there are photos.",
    ),
  cellWidth: z
    .int()
    .min(16)
    .max(1024)
    .default(256)
    .describe("Width and height of a photo's place, in pixels."),
});

export type ContactSheetParameters = z.output<typeof parameters>;

const result = z.object({
  columns: z.int().min(1).describe("Photos side by side."),
  rows: z.int().min(1).describe("Photos one above the other."),
  width: z.int().min(1).describe("Of the sheet, in pixels."),
  height: z.int().min(1).describe("Of the sheet, in pixels."),
  warnings: z
    .array(z.string())
    .optional()
    .describe(
      "What to know of how the photos were read, each with the photo's place in the list, from 1.",
    ),
});

export const contactSheet = defineTask({
  name: "contact-sheet",
  title: "Contact sheet",
  description:
    "Up to a hundred photos on one white sheet, in the order given, each whole, upright " +
    "and in a square place of its own. A JPEG.",
  parameters,
  result,
  minPhotos: 2,
  maxPhotos: 100,
  maxAttempts: 3,
  timeoutMs: 300_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
