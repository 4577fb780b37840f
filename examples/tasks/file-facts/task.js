import { defineTask } from "photo-service/tasks";
import { z } from "zod";

const parameters = z.strictObject({
  blockBytes: z
    .int()
    .min(64)
    .max(65_536)
    .default(4096)
    .describe("Bytes of the file that one pixel of the map stands for."),
  width: z.int().min(8).max(256).default(64).describe("Pixels in one row of the map."),
});

const result = z.object({
  byteSize: z.int().describe("Bytes of the file."),
  bitsPerByte: z
    .number()
    .min(0)
    .max(8)
    .describe("Information in a byte, on average: near 8 for compressed pictures."),
  blocks: z.int().min(1).describe("Number of pixels of the map."),
});

export const fileFacts = defineTask({
  name: "file-facts",
  title: "File facts",
  description:
    "Measures how much information the bytes of the file carry, and draws a map of it: " +
    "compressed parts are bright, metadata and padding are dark.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 60_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
