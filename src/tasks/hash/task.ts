import { z } from "zod";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";

const parameters = z.strictObject({
  maxDistance: z
    .int()
    .min(0)
    .max(16)
    .default(6)
    .describe(
      "Maximum number of the 64 bits in which a duplicate may differ. 6 finds resized and " +
        "recompressed copies, 10 also slightly cropped ones; 16 also finds other photos.",
    ),
});

export type HashParameters = z.output<typeof parameters>;

const duplicate = z.object({
  photoId: z.string().describe("Id of another photo of yours."),
  distance: z
    .int()
    .min(0)
    .max(64)
    .describe("Number of bits in which the two hashes differ; 0 means that they are equal."),
});

const result = z.object({
  sha256: z.string().describe("SHA-256 of the file, in hex."),
  phash: z
    .string()
    .nullable()
    .describe(
      "Perceptual hash of 64 bits, in hex: similar pictures have similar hashes. Null for a " +
        "picture of nearly one colour.",
    ),
  duplicates: z
    .array(duplicate)
    .max(100)
    .describe(
      "Your other photos that look similar, nearest first, at most 100. Rotated or mirrored " +
        "copies are not found.",
    ),
  warnings,
});

export const hash = defineTask({
  name: "hash",
  title: "Duplicates",
  description:
    "Computes fingerprints of the file and of the picture, and finds your other photos " +
    "that look the same, including resized and recompressed copies. Rotated or mirrored " +
    "copies are not found.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 120_000,
  runsIn: "child",
  // The result depends on the user's other photos, which change.
  resultVersion: null,
  load: () => import("./run.js"),
});
