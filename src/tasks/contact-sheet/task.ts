import { z } from "zod";
import { defineTask } from "../define-task.js";

const parameters = z.strictObject({
  columns: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "Number of photos per row, at most the number of photos. Default: the square root " +
        "of the number of photos, rounded up.",
    ),
  cellWidth: z
    .int()
    .min(16)
    .max(1024)
    .default(256)
    .describe("Width and height of the cell of each photo, in pixels."),
  skipUnreadable: z
    .boolean()
    .optional()
    .describe(
      "Leave out photos that cannot be read, and name them in the warnings. Otherwise one such " +
        "photo fails the whole sheet.",
    ),
});

export type ContactSheetParameters = z.output<typeof parameters>;

const result = z.object({
  columns: z.int().min(1).describe("Number of photos per row."),
  rows: z.int().min(1).describe("Number of rows."),
  width: z.int().min(1).describe("Width of the sheet, in pixels."),
  height: z.int().min(1).describe("Height of the sheet, in pixels."),
  warnings: z
    .array(z.string())
    .optional()
    .describe(
      "Warnings about how the photos were read, each with the position of the photo, from 1.",
    ),
});

export const contactSheet = defineTask({
  name: "contact-sheet",
  title: "Contact sheet",
  description:
    "Arranges up to 100 photos on one white sheet, in the given order, each uncropped and " +
    "upright in a square cell. The output is a JPEG.",
  parameters,
  result,
  minPhotos: 2,
  maxPhotos: 100,
  maxAttempts: 3,
  timeoutMs: 300_000,
  runsIn: "child",
  countPictures: () => 1,
  load: () => import("./run.js"),
});
