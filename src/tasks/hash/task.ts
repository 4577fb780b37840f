import { z } from "zod";
import { defineTask, warnings } from "../define-task.js";

const parameters = z.strictObject({
  maxDistance: z
    .int()
    .min(0)
    .max(16)
    .default(6)
    .describe(
      "In how many of 64 bits a duplicate may differ: 6 finds resized and recompressed " +
        "copies, 10 also lightly cropped ones; from 16 on other photos are found, too.",
    ),
});

export type HashParameters = z.output<typeof parameters>;

const duplicate = z.object({
  photoId: z.string().describe("Of another photo of yours."),
  distance: z.int().min(0).max(64).describe("Bits in which the two differ; 0 is alike."),
});

const result = z.object({
  sha256: z.string().describe("Of the file's bytes, in hex."),
  phash: z
    .string()
    .nullable()
    .describe(
      "Perceptual hash of 64 bits in hex: near for pictures that look alike. Null for a " +
        "nearly flat picture.",
    ),
  duplicates: z
    .array(duplicate)
    .describe(
      "Your other photos that look alike, nearest first, at most 100. Turned or mirrored " +
        "copies are not found.",
    ),
  warnings,
});

export const hash = defineTask({
  name: "hash",
  title: "Duplicates",
  description:
    "Fingerprints of the file and of the picture, and which of your other photos look " +
    "the same, resized and recompressed copies included. Turned or mirrored copies are " +
    "not found.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 120_000,
  runsIn: "child",
  // It depends on the photos beside it, which come and go.
  resultVersion: null,
  load: () => import("./run.js"),
});
